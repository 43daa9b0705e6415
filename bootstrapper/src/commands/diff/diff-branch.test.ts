import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type Operator, withOperator } from "@headrace/test/harness/with-operator"
import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"

const RULES = `config_updater:
  maps:
    a/*: {name: plain, clusters: {east: [ci]}}
    b/*: {name: packed, gzip: true, clusters: {east: [ci]}}
`
const PROW_LABELS = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }

/** An operator whose cluster has been brought to a first commit. */
async function withApplied(test: (operator: Operator, first: string) => Promise<void>): Promise<void> {
  await withOperator(async (operator) => {
    const first = await operator.repo.commit({ "rules.yaml": RULES, "a/x": "1\n", "b/y": "2\n" })
    expect((await operator.run("apply", "--direct")).code).toBe(0)
    await test(operator, first)
  })
}

describe("diff with the branch", { timeout: 120_000 }, () => {
  it("is empty after apply, and shows what the next one would change", () =>
    withApplied(async ({ repo, run, runJson }, first) => {
      expect(await run("diff")).toMatchObject({ code: 0, stdout: "", stderr: "" })
      const second = await repo.commit({ "a/x": "one\n", "a/z": "3\n", "b/y": null })
      const changes = [
        { name: "packed", state: "present", keys: { y: { kind: "removed" } } },
        { name: "plain", keys: { x: { kind: "changed", diff: expect.stringContaining("-1\n+one") }, z: {} } },
      ]
      expect(await runJson("diff")).toMatchObject({ code: 1, places: changes })
      expect(await runJson("diff", "--commit", first)).toMatchObject({ code: 0, places: [] })
      await runJson("hold", "--reason", "freeze")
      expect(await runJson("diff")).toMatchObject({ code: 0, places: [] })
      expect(await runJson("diff", "--commit", second)).toMatchObject({ code: 1, places: changes })
    }))

  it("lists what no rule names any more, and what a rule wants in the store alone", () =>
    withApplied(async ({ repo, run, runJson }) => {
      const rules = RULES.replace("name: plain", "name: renamed").replace("gzip: true", "view: false")
      const commit = await repo.commit({ "rules.yaml": rules })
      await runJson("approve", "--commit", commit)
      await run("apply", "--direct")

      expect(await run("diff")).toMatchObject({
        code: 1,
        stdout:
          "east/ci/packed (no rule names it any more: apply --direct --prune removes it)\n\n" +
          "east/ci/plain (no rule names it any more: apply --direct --prune removes it)\n",
      })
      await run("apply", "--direct", "--prune")
      expect(await run("diff")).toMatchObject({ code: 0, stdout: "" })
    }))

  it("names hand edits, another source's ConfigMaps, and targets with a mistake", () =>
    withApplied(async ({ repo, kube, run, runJson, writeConfig }) => {
      const client = inProcessClient(kube.store)
      const plain = await client.get("ci", "plain")
      if (plain) await client.replace({ ...plain, data: { ...plain.data, x: "by hand\n", stray: "1" } })
      expect(await runJson("diff")).toMatchObject({
        code: 1,
        places: [{ name: "plain", keys: { stray: { kind: "removed" }, x: { kind: "changed" } } }],
      })
      const source = { url: repo.folder, branch: repo.branch, rules: "rules.yaml" }
      await writeConfig({ sources: { release: { ...source, foreignKeys: "keep" } } })
      expect(await runJson("diff")).toMatchObject({
        places: [{ name: "plain", keys: { stray: { kind: "foreign" }, x: { kind: "changed" } } }],
      })
      await writeConfig({ sources: { other: source } })
      expect(await runJson("diff")).toMatchObject({
        code: 1,
        places: [
          { name: "packed", state: "other-source", keys: {} },
          { name: "plain", state: "other-source", keys: { stray: { kind: "foreign" } } },
        ],
      })
      await repo.commit({ "a/no key": "1" })
      const mistaken = await run("diff")
      expect(mistaken).toMatchObject({ code: 3, stderr: expect.stringContaining("plan/illegal-key") })
    }))

  it("goes on with the other clusters when one has no kubeconfig, or does not answer", () =>
    withApplied(async ({ repo, kube, run, writeConfig }) => {
      const away = join(repo.scratch, "away")
      await writeFile(away, kube.kubeconfig.replace(/:\d+/, ":1"))
      const missing = join(repo.scratch, "missing")
      const kubeconfigs = { east: kube.kubeconfigFile, north: missing, west: away }
      const clusters = Object.entries(kubeconfigs).map(([name, kubeconfig]) => [name, { kubeconfig }])
      await writeConfig({ clusters: Object.fromEntries(clusters) })
      await repo.commit({ "a/x": "new\n" })

      const { code, stdout, stderr } = await run("diff")
      expect(code).toBe(3)
      expect(stdout).toContain("east/ci/plain\n  changed x")
      expect(stderr).toMatch(
        /^north: .*headrace\.yaml:1:\d+: .*missing \[kube\/kubeconfig\]\n {2}Mount .*\nwest: .*\[kube\/unavailable\]\n {2}Check .*\n {2}→ kubectl .* get --raw=\/readyz\n$/,
      )
    }))
})

describe("diff with a folder", { timeout: 120_000 }, () => {
  it("lists orphans of the source that it is of, and Prow's where there is no other source", () =>
    withApplied(async ({ repo, kube, run, runJson, writeConfig }) => {
      const labels = PROW_LABELS
      await inProcessClient(kube.store).create({ metadata: { namespace: "ci", name: "prows", labels } })
      const folder = ["diff", "--source-path", repo.folder, "--rules", "rules.yaml"]
      await repo.commit({ "rules.yaml": RULES.replace("name: plain", "name: renamed") })
      expect((await runJson(...folder)).places).toMatchObject([
        { name: "renamed", state: "absent" },
        { name: "plain", state: "orphan", keys: {} },
        { name: "prows", state: "prow-orphan", keys: {} },
      ])
      const source = { url: repo.folder, branch: repo.branch, rules: "rules.yaml" }
      await writeConfig({ sources: { release: source, other: source } })
      expect(await run(...folder)).toMatchObject({
        stderr: "east: orphans are not looked for without --source\n",
        stdout: expect.not.stringContaining("prows"),
      })
      expect((await runJson(...folder, "--source", "release")).places).toMatchObject([
        { name: "renamed" },
        { name: "plain", state: "orphan" },
      ])
    }))

  it("says what it cannot do with the flags that it was given", () =>
    withOperator(async ({ repo, run }) => {
      const cases: [string[], string][] = [
        [["--source-path", repo.folder], "diff/folder"],
        [["--rules", "rules.yaml"], "diff/no-folder"],
        [["--source-path", repo.folder, "--rules", "r", "--source", "nobody"], "diff/which-source"],
        [["--cluster", "nowhere"], "settings/unknown-cluster"],
        [["--commit", "abc"], "is not a commit id"],
      ]
      for (const [args, text] of cases) {
        expect(await run("diff", ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) })
      }
    }))
})
