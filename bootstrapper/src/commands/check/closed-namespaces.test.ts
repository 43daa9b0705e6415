import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { checkSource } from "./run.ts"

const RULES = `config_updater:
  maps:
    a/*: {name: alpha, clusters: {east: [ci, ocp]}}
`
const MORE = `${RULES}    b/*: {name: aws-auth, clusters: {east: [kube-system]}}\n`
const quiet = new AbortController().signal

it("lists what a cluster without namespaces closes: a warning, and an error where a change makes it new", () =>
  withRepo(async (repo) => {
    const config = join(repo.scratch, "headrace.yaml")
    const settle = (east: object) =>
      writeFile(
        config,
        JSON.stringify({
          version: 1,
          sources: {},
          clusters: { east: { kubeconfig: "/none", ...east } },
          defaults: { cluster: "east", namespace: "ci" },
        }),
      )
    async function check(base?: string) {
      const flags = { config, otherRules: [], defaultCluster: "", defaultNamespace: "", strict: false }
      const options = { ...flags, prow: false, output: "text" as const, rules: "rules.yaml" }
      const given = base === undefined ? options : { ...options, base }
      const { problems } = await checkSource([repo.folder], given, quiet)
      return problems
        .filter(({ code }) => code.startsWith("plan/namespace-"))
        .map(({ severity, code, message, hint, line }) => ({ severity, code, message, hint, line }))
    }

    await settle({})
    await repo.commit({ "rules.yaml": RULES, "a/x": "1", "b/y": "1" })
    const ocp = {
      severity: "warning",
      code: "plan/namespace-closed",
      message:
        'cluster "east" has no "namespaces", so namespace "ocp" is closed to new ConfigMaps: alpha is written only where it exists',
      hint: "Add to the cluster in the settings, if rules are to write there: namespaces: [ci, ocp].",
      line: 3,
    }
    expect(await check()).toEqual([ocp])

    await repo.git("checkout", "--quiet", "-b", "change")
    await writeFile(join(repo.folder, "rules.yaml"), MORE)
    const hint = ocp.hint.replace("[ci, ocp]", "[ci, kube-system, ocp]")
    expect(await check("main")).toEqual([
      {
        ...ocp,
        severity: "error",
        message:
          'cluster "east" has no "namespaces", so namespace "kube-system" is closed to new ConfigMaps: aws-auth is not created',
        hint,
        line: 4,
      },
      { ...ocp, hint },
    ])

    await settle({ namespaces: ["*"] })
    expect(await check("main")).toMatchObject([
      {
        severity: "error",
        code: "plan/namespace-not-allowed",
        hint: expect.stringContaining('Add "kube-system"'),
      },
    ])
    await settle({ namespaces: ["*", "kube-*"] })
    expect(await check("main")).toEqual([])
  }))
