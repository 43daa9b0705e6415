import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type BootstrapperRun, runBootstrapper } from "@headrace/test/harness/run-bootstrapper"
import { withKube } from "@headrace/test/harness/with-kube"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {default: [ci]}}\n"

interface ProwSetup {
  repo: TestRepo
  kubeconfig: string
  jobs(): Promise<Record<string, string> | undefined>
  /** Runs it with a home of its own, and that as the folder for relative paths. */
  run(...args: string[]): Promise<BootstrapperRun>
  /** The same with `--dry-run=false` and the kubeconfig, on top of what is given. */
  write(...args: string[]): Promise<BootstrapperRun>
}

function withProwSetup(fn: (setup: ProwSetup) => Promise<void>): Promise<void> {
  return withKube((kube) =>
    withRepo(async (repo) => {
      await repo.commit({ "plugins.yaml": RULES, "jobs/a.yaml": "a: 1\n" })
      const kubeconfig = kube.kubeconfigFile
      const run = (...args: string[]) => runBootstrapper(args, repo.scratch, { HOME: repo.scratch })
      await fn({
        repo,
        kubeconfig,
        jobs: async () => (await inProcessClient(kube.store).get("ci", "jobs"))?.data,
        run,
        write: (...args) => run("--dry-run=false", `--kubeconfig=${kubeconfig}`, ...args),
      })
    }),
  )
}

it("runs as Prow's config-bootstrapper does, and again without a change", () =>
  withProwSetup(async ({ repo, kubeconfig, jobs, run }) => {
    const flags = ["--plugin-config=plugins.yaml", `--kubeconfig=${kubeconfig}`, "--job-config-path=unused"]
    const shown = await run(`--source-path=${repo.folder}`, ...flags)
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining("dry run") })
    expect(shown.stderr).toContain("note: --job-config-path is not read: jobs have no part in it\n")
    expect(shown.stdout).toContain("default/ci/jobs")
    expect(await jobs()).toBeUndefined()

    const written = await run(`-source-path=${repo.folder}`, "-dry-run=false", ...flags)
    expect(written).toMatchObject({ code: 0, stdout: `prow in default: applied ${await repo.tip()}\n` })
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 1\n" })

    const again = await run("apply", `--source-path=${repo.folder}`, "--dry-run=false", ...flags)
    expect(again).toMatchObject({ code: 0, stdout: `prow in default: already at ${await repo.tip()}\n` })
  }))

it("refuses a dirty checkout, a shallow one, and one that is behind", () =>
  withProwSetup(async ({ repo, jobs, write }) => {
    const rules = "--plugin-config=plugins.yaml"
    const behind = `${repo.scratch}/behind`
    const shallow = `${repo.scratch}/shallow`
    await repo.git("clone", "--quiet", repo.folder, behind)
    await repo.commit({ "jobs/a.yaml": "a: 2\n" })
    await repo.git("clone", "--quiet", "--depth=1", `file://${repo.folder}`, shallow)
    expect((await write(`--source-path=${repo.folder}`, rules)).code).toBe(0)
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 2\n" })

    expect(await write(`--source-path=${shallow}`, rules)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("git/shallow"),
    })
    await write(`--source-path=${behind}`, rules)
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 2\n" })

    await writeFile(join(repo.folder, "stray"), "stray")
    expect(await write(`--source-path=${repo.folder}`, rules)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("differs from its HEAD: stray"),
    })
  }))

it(
  "takes several folders of one checkout, each with paths of its own, as Prow does",
  { timeout: 180_000 },
  () =>
    withProwSetup(async ({ repo, jobs, write }) => {
      await repo.commit({
        "one/jobs/a.yaml": "of one\n",
        "two/jobs/a.yaml": "of two\n",
        "two/jobs/b.yaml": "b\n",
      })
      const sources = [`--source-path=${repo.folder}/one`, `--source-path=${repo.folder}/two`]

      expect((await write(...sources, "--plugin-config=plugins.yaml")).code).toBe(0)
      expect(await jobs()).toMatchObject({ "a.yaml": "of one\n", "b.yaml": "b\n" })
    }),
)

it(
  "takes rules from another checkout, whose commits count too, and from a file of none",
  { timeout: 180_000 },
  () =>
    withProwSetup(async ({ repo, jobs, write }) => {
      const source = `--source-path=${repo.folder}`
      const file = join(repo.scratch, "mounted.yaml")
      await writeFile(file, RULES)
      const mounted = await write(source, `--plugin-config=${file}`, "-o", "json")
      expect(mounted).toMatchObject({ code: 0, stderr: expect.stringContaining("are of no commit") })
      await writeFile(file, RULES.replace("'jobs/", "'more/"))
      await repo.commit({ "more/b.yaml": "b\n" })
      await write(source, "--plugin-config=mounted.yaml")
      expect(await jobs()).toEqual({ "b.yaml": "b\n", VERSION: await repo.tip() })

      const rules = join(repo.scratch, "rules")
      await repo.git("init", "--quiet", rules)
      await writeFile(join(rules, "prow.yaml"), RULES)
      await repo.git("-C", rules, "add", "prow.yaml")
      const apart = [source, `--plugin-config=${rules}/prow.yaml`, "-o", "json"]
      expect(await write(...apart)).toMatchObject({ code: 1, stderr: expect.stringContaining("git/dirty") })
      await repo.git("-C", rules, "commit", "--quiet", "--message", "rules")
      const [written] = JSON.parse((await write(...apart)).stdout)
      expect(written).toMatchObject({ result: "applied", commit: await repo.tip(), failed: [] })
      expect(await jobs()).toEqual({ "a.yaml": "a: 1\n", VERSION: await repo.tip() })
    }),
)

it("knows the clusters that Prow would know", () =>
  withProwSetup(async ({ repo, kubeconfig, run }) => {
    const plan = [`--source-path=${repo.folder}`, "--plugin-config=plugins.yaml"]
    const folder = await run(
      ...plan,
      `--kubeconfig-dir=${kubeconfig.replace(/\/[^/]*$/, "")}`,
      "--dry-run=false",
    )
    expect(folder.stdout).toContain("prow in default: applied")
    const environment = await runBootstrapper([...plan, "--dry-run=false"], repo.scratch, {
      HOME: repo.scratch,
      KUBECONFIG: `/nowhere:${kubeconfig}`,
    })
    expect(environment.stdout).toContain("prow in default: already at")
    const token = await run(...plan, `--kubeconfig=${kubeconfig}`, "--projected-token-file=/token")
    expect(token.stderr).toContain("--projected-token-file is for the cluster that this runs in")
  }))

it(
  "reads supplemental plugin configuration, and refuses rules in it as Prow does",
  { timeout: 180_000 },
  () =>
    withProwSetup(async ({ repo, kubeconfig, run }) => {
      await repo.commit({ "org/_pluginconfig.yaml": "plugins:\n  org: {plugins: [approve]}\n" })
      const flags = [
        `--source-path=${repo.folder}`,
        "--plugin-config=plugins.yaml",
        `--kubeconfig=${kubeconfig}`,
      ]
      const supplemental = `--supplemental-plugin-config-dir=${repo.folder}`
      expect((await run(...flags, supplemental)).code).toBe(0)
      await repo.commit({ "org/_pluginconfig.yaml": RULES })
      expect(await run(...flags, supplemental)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("org/_pluginconfig.yaml has a config_updater"),
      })
      expect(
        (await run(...flags, supplemental, "--supplemental-plugin-configs-filename-suffix=none")).code,
      ).toBe(0)
    }),
)

it("says which flag is wrong", () =>
  withProwSetup(async ({ repo, kubeconfig, run }) => {
    const source = `--source-path=${repo.folder}`
    const rules = "--plugin-config=plugins.yaml"
    const other = `${repo.scratch}/other`
    await repo.git("clone", "--quiet", repo.folder, other)
    await writeFile(join(repo.scratch, "empty"), "")
    const cases: [string[], string][] = [
      [[source, "--plugin-config=empty", `--kubeconfig=${kubeconfig}`], "rules/invalid"],
      [[source, "--plugin-config=nowhere", `--kubeconfig=${kubeconfig}`], "rules/not-found"],
      [[source, rules], "no flag names a cluster"],
      [[source, `--source-path=${other}`, rules], "names several checkouts"],
      [[`--source-path=${repo.scratch}`, rules], "is in no git checkout"],
      [[source, "--dry-run=maybe"], "expected true or false"],
      [[source, rules, "--kubeconfig-suffix=x"], "goes with --kubeconfig-dir"],
      [[source, rules, "--config-path=nowhere", `--kubeconfig=${kubeconfig}`], "cannot read --config-path"],
      [[source, "--github-token-path=x"], "unknown option"],
      [
        ["aply", "--config", "x"],
        'unknown command "aply" [usage/unknown-command]\n  Check the spelling: did you mean "apply"?',
      ],
      [["apply"], "nothing says what to apply"],
      [["apply", "--direct", "--config", "x", "--dry-run"], "--dry-run goes with --source-path"],
      [["apply", source, "--config", "x", rules], "--plugin-config does not go with --config"],
    ]
    const runs = await Promise.all(cases.map(([args]) => run(...args)))
    for (const [index, [, text]] of cases.entries()) {
      expect(runs[index]).toMatchObject({ code: 2, stderr: expect.stringContaining(text) })
    }
  }))
