import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"

const RULES = `config_updater:
  maps:
    good/*: {name: good, clusters: {east: [ci]}}
    bad/*: {name: bad, clusters: {east: [ci]}}
`

it(
  "says where a file, a commit, a pull request and a target are, and refuses what may be two things",
  {
    timeout: 240_000,
  },
  () =>
    withOperator(async ({ repo, kube, run, writeConfig }) => {
      await writeConfig({
        clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"], store: false } },
      })
      await repo.commit({ "rules.yaml": RULES, "good/a": "1", "other/b": "2" })
      const merged = await repo.commit({ "good/a": "2" }, "Change a (#12)")
      await run("apply", "--direct")
      const later = await repo.commit({ "bad/no key": "x", "12": "named like a pull request" })
      await run("apply", "--direct")
      const explain = async (what: string) => {
        const { code, stdout, stderr } = await run("explain", what)
        return [code, (stdout + stderr).replaceAll("\\\n", "").replace(/\s+/g, " ")] as const
      }

      const [fileCode, file] = await explain("good/a")
      expect(file).toContain("✓ file good/a: live everywhere")
      expect(file).toContain(`commit ${merged.slice(0, 12)} "Change a (#12)" by`)
      expect(file).toContain("rules it is in ci/good")
      expect(fileCode).toBe(0)

      expect((await explain("other/b"))[1]).toContain("file other/b: no rule names it")
      const [pullCode, pull] = await explain("#12")
      expect([pullCode, pull]).toEqual([
        1,
        expect.stringContaining("pull request #12: not live: release in east: ci/bad failed"),
      ])
      const [code, commit] = await explain(later.slice(0, 7))
      expect(code).toBe(1)
      expect(commit).toContain(`commit ${later.slice(0, 12)}: not live: release in east: ci/bad failed`)
      const [, target] = await explain("ci/bad")
      expect(target).toContain("✗ target ci/bad: release in east: failed, holds what it held before")
      const [brokenCode, broken] = await explain("file:bad/no key")
      expect([brokenCode, broken]).toEqual([1, expect.stringContaining("it is in ci/bad")])
      expect(await explain("12")).toEqual([
        2,
        expect.stringMatching(
          /12 may be pull request #12 of release or file 12 of release.*Write pr:12 or file:12/,
        ),
      ])
      await repo.commit({ "good/a": null })
      const [, gone] = await explain("good/a")
      expect(gone).toContain("this commit removed it; it was in ci/good")
      expect(gone).toContain("file good/a: not live")
      expect(await explain("nothing-like-it")).toEqual([2, expect.stringContaining("explain/unknown")])
    }),
)
