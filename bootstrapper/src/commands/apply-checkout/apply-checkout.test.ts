import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { promisify } from "node:util"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { withKube } from "@headrace/test/harness/with-kube"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"

const log = createLog("test", { level: "silent" })
const MAIN = resolve(import.meta.dirname, "../../main.ts")
const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {default: [ci]}}\n"

interface Done {
  code: number
  stdout: string
  stderr: string
}

interface Desk {
  repo: TestRepo
  kubeconfig: string
  jobs(): Promise<Record<string, string> | undefined>
  run(...args: string[]): Promise<Done>
}

function withDesk(fn: (desk: Desk) => Promise<void>): Promise<void> {
  return withKube((kube) =>
    withRepo(async (repo) => {
      await repo.commit({ "plugins.yaml": RULES, "jobs/a.yaml": "a: 1\n" })
      const client = await connectCluster("default", { kubeconfig: kube.kubeconfigFile }, log)
      await fn({
        repo,
        kubeconfig: kube.kubeconfigFile,
        jobs: async () => (await client.get("ci", "jobs"))?.data,
        run: (...args) => runMain(args),
      }).finally(() => client.close())
    }),
  )
}

async function runMain(args: string[]): Promise<Done> {
  return promisify(execFile)(process.execPath, ["--conditions=source", "--no-warnings", MAIN, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Done) => error,
  )
}

it("runs as Prow's config-bootstrapper does, and again without a change", { timeout: 60_000 }, () =>
  withDesk(async ({ repo, kubeconfig, jobs, run }) => {
    const flags = ["--plugin-config=plugins.yaml", `--kubeconfig=${kubeconfig}`, "--job-config-path=unused"]
    const shown = await run(`--source-path=${repo.folder}`, ...flags)
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining("dry run") })
    expect(shown.stdout).toContain("default/ci/jobs")
    expect(await jobs()).toBeUndefined()

    const written = await run(`--source-path=${repo.folder}`, "--dry-run=false", ...flags)
    expect(written).toMatchObject({ code: 0, stdout: `prow in default: applied ${await repo.tip()}\n` })
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 1\n" })

    const again = await run("apply", `--source-path=${repo.folder}`, "--dry-run=false", ...flags)
    expect(again).toMatchObject({ code: 0, stdout: `prow in default: noop ${await repo.tip()}\n` })
  }),
)

it("refuses a dirty checkout, a shallow one, and one that is behind", { timeout: 60_000 }, () =>
  withDesk(async ({ repo, kubeconfig, jobs, run }) => {
    const flags = ["--dry-run=false", "--plugin-config=plugins.yaml", `--kubeconfig=${kubeconfig}`]
    const behind = `${repo.scratch}/behind`
    const shallow = `${repo.scratch}/shallow`
    await repo.git("clone", "--quiet", repo.folder, behind)
    await repo.commit({ "jobs/a.yaml": "a: 2\n" })
    await repo.git("clone", "--quiet", "--depth=1", `file://${repo.folder}`, shallow)
    expect((await run(`--source-path=${repo.folder}`, ...flags)).code).toBe(0)
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 2\n" })

    expect(await run(`--source-path=${shallow}`, ...flags)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("git/shallow"),
    })
    await run(`--source-path=${behind}`, ...flags)
    expect(await jobs()).toMatchObject({ "a.yaml": "a: 2\n" })

    await promisify(execFile)("sh", ["-c", `echo stray > ${repo.folder}/stray`])
    expect(await run(`--source-path=${repo.folder}`, ...flags)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("differs from its HEAD: stray"),
    })
  }),
)

it("says which flag is wrong", { timeout: 60_000 }, () =>
  withDesk(async ({ repo, kubeconfig, run }) => {
    const source = `--source-path=${repo.folder}`
    const cases: [string[], number, string][] = [
      [
        [source, "--plugin-config=/etc/hostname", `--kubeconfig=${kubeconfig}`],
        2,
        "not a file of the checkout",
      ],
      [[source, "--plugin-config=plugins.yaml"], 2, "no flag names a cluster"],
      [[source, source, "--plugin-config=plugins.yaml"], 2, "takes one checkout"],
      [[source, "--dry-run=maybe"], 2, "expected true or false"],
      [["apply"], 2, "nothing says what to apply"],
    ]
    for (const [args, code, text] of cases) {
      expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(text) })
    }
  }),
)
