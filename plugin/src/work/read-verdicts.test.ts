import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { postLease } from "@headrace/test/harness/post-lease"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withKube } from "@headrace/test/harness/with-kube"
import { withRepo } from "@headrace/test/harness/with-repo"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { readStatus } from "./read-status.ts"
import { readVerdicts } from "./read-verdicts.ts"

const SINCE = "2026-01-01T00:00:00.000Z"

it(
  "reads from records and Leases on which commits are live, and counts failures of what they touch alone",
  {
    timeout: 60_000,
  },
  () =>
    withFolder((folder) =>
      withKube((kube) =>
        withRepo(async (repo) => {
          const settings = OperatorSettings.parse({
            version: 1,
            sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
            clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
            mirrors: join(folder, "mirrors"),
          })
          const opened = await openReconciler(settings, createLog("test", { level: "silent" }))
          try {
            const first = await repo.commit({ a: "1" })
            const second = await repo.commit({ a: "2" })
            await (await opened.repository("release")).fetch()
            const failed = [{ target: "ci/other", reason: "kube/forbidden: no", since: SINCE }]
            const record = { commit: second, failed, history: [] }
            await writeRevision(inProcessClient(kube.store), {
              seq: 2,
              targets: { "ci/jobs": { x: "2" } },
              record,
            })
            await postLease(kube, "node-1", second, { epoch: 0, seq: 2 })
            await postLease(kube, "node-2", first, { epoch: 0, seq: 1 })
            const verdicts = readVerdicts(opened, settings)
            const touched = new Map([["east", new Set(["ci/jobs"])]])
            const live = async (options?: { touched: typeof touched }) => {
              const of = (await verdicts("release", [second], options)).get(second)?.get("east")
              return [of?.live, of?.nodes?.live, of?.nodes?.total, of?.failed.length]
            }
            expect(await live({ touched })).toEqual([false, 1, 2, 0])
            await postLease(kube, "node-2", second, { epoch: 0, seq: 2 })
            expect(await live({ touched })).toEqual([true, 2, 2, 0])
            expect(await live()).toEqual([false, 2, 2, 1])

            const lanes = { trouble: () => new Error("Redis is away") } as never
            const status = await readStatus(opened, settings)(lanes)
            expect(status.findings.map(({ kind, detail }) => [kind, detail])).toEqual([
              ["redis", "Redis is away"],
            ])
            expect(status.clusterSources).toMatchObject([
              { cluster: "east", state: "current", commit: second, nodes: { live: 2, total: 2 } },
            ])
          } finally {
            await opened.close()
          }
        }),
      ),
    ),
)
