import { withKube } from "@headrace/test/harness/with-kube"
import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"

const API = "ci/api-build01:6443"
const EKS = "arn:aws:eks:eu-west-1:1:cluster/x"
const RULES = `config_updater:
  maps:
    jobs/*: {name: jobs, clusters: {"${API}": [ci], "${EKS}": [ci]}}
`

it("clusters as people name them are the same in settings, check and apply", { timeout: 180_000 }, () =>
  withOperator(({ repo, kube, run, runJson, writeConfig }) =>
    withKube(async (other) => {
      await writeConfig({
        clusters: {
          [API]: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] },
          [EKS]: { kubeconfig: other.kubeconfigFile, namespaces: ["ci"] },
        },
      })
      await repo.commit({ "rules.yaml": RULES, "jobs/a": "1" })
      const folder = ["--source-path", repo.folder]
      const check = await run("check", ...folder, "--rules", "rules.yaml")
      expect([check.code, check.stderr]).toEqual([0, ""])
      const places = [API, EKS].map((cluster) => expect.objectContaining({ cluster, result: "applied" }))
      expect(await runJson("apply", "--direct")).toMatchObject({ code: 0, places })
      const shown = (of: typeof kube) => inProcessClient(of.store).get("ci", "jobs")
      await repo.commit({ "jobs/a": "2" })
      expect(await runJson("apply", "--direct", "--cluster", EKS)).toMatchObject({ code: 0, places: [{}] })
      expect([await shown(kube), await shown(other)]).toMatchObject([
        { data: { a: "1" } },
        { data: { a: "2" } },
      ])
      // Without lanes: as apply-prow does, for all of them.
      const applied = await runJson("apply", `--source-path=${repo.folder}`, "--dry-run=false")
      expect([applied.code, await shown(kube)]).toMatchObject([0, { data: { a: "2" } }])
      expect((await runJson("status")).places).toMatchObject([{ state: "current" }, { state: "current" }])
      await repo.commit({ "rules.yaml": RULES.replace(":6443", "") })
      const unknown = await run("check", ...folder, "--rules", "rules.yaml")
      expect(unknown.stdout + unknown.stderr).toContain("ci/api-build01")
      expect(unknown.code).toBe(1)
    }),
  ),
)
