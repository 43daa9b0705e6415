import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"

const RULES =
  "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n    'web/*': {name: web, clusters: {east: [ci]}}\n"

it(
  "adopts what others own, by rule or all of it, and names a rule that does not exist",
  { timeout: 180_000 },
  () =>
    withOperator(async ({ repo, kube, run, runJson }) => {
      await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1", "web/x.css": "x" })
      const by = async (name: string, labels: object) => {
        const body = JSON.stringify({ metadata: { name, labels }, data: { old: "1" } })
        const url = `${kube.url}/api/v1/namespaces/ci/configmaps`
        const headers = { authorization: `Bearer ${kube.token}`, "content-type": "application/json" }
        expect((await fetch(url, { method: "POST", body, headers })).status).toBe(201)
      }
      await by("jobs", {})
      await by("web", { app: "other" })
      const failed = [{ reason: /not-ours/ }, { reason: /not-ours/ }].map(({ reason }) => ({
        reason: expect.stringMatching(reason),
      }))
      expect((await runJson("apply", "--direct")).places).toMatchObject([{ failed }])

      const wrong = await run("adopt", "--rule", "job/*.yaml")
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "jobs/*.yaml"?')])
      expect((await runJson("adopt", "--rule", "web/*")).places).toMatchObject([{ adopted: ["ci/web"] }])
      expect((await runJson("adopt")).places).toMatchObject([{ adopted: ["ci/jobs"] }])
      expect((await runJson("apply", "--direct")).places).toMatchObject([{ failed: [] }])
    }),
)
