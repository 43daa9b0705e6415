import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { judgeChange, type PastDeletions, windowOf } from "@headrace/shared/gates/guard/judge-change"
import { type GuardedKey, measureChange } from "@headrace/shared/gates/guard/measure-change"
import { pastAfter } from "@headrace/shared/gates/guard/past-deletions"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { guardedKeys, guardedTargets } from "@headrace/shared/reconcile/decide/guarded-keys"
import { planAt } from "@headrace/shared/reconcile/decide/plan-at"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { describe, expect, it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { REAL_BRANCH, REAL_RULES, realHistoryMissing } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withRealHistory } from "../harness/with-real-history.ts"

const CLUSTER = "test-infra-trusted"
/** All 335 in the long form. */
const MERGES = Number(process.env.HEADRACE_REPLAY_MERGES ?? 40)
/** The defaults of the operator's file. */
const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.1, atLeast: 20 }

describe.skipIf(realHistoryMissing())(
  `the guard over every merge of a real repository${whySkipped(realHistoryMissing())}`,
  () => {
    it("stops none of them: all were meant", { timeout: 600_000 }, () =>
      withRealHistory(async (history) => {
        const signal = new AbortController().signal
        const last = history.merges.at(-1)
        if (last) await history.moveTo(last.sha)
        const folder = join(history.folder, "..", "mirrors")
        const log = createLog("test", { level: "silent" })
        const mirror = await openMirror({
          name: "release",
          url: history.folder,
          branch: REAL_BRANCH,
          folder,
          log,
        })
        try {
          await mirror.fetch(signal)
          const settings = {
            repo: "kubernetes/test-infra",
            rulesPath: REAL_RULES,
            defaults: { cluster: CLUSTER, namespace: "default" },
            clusters: new Map([
              [CLUSTER, { namespaces: ["*"] }],
              ["k8s-infra-prow-build-trusted", { namespaces: ["*"] }],
            ]),
          }
          const ports = reconcilePorts({
            kube: inProcessClient(new ObjectStore({ createNamespaces: true })),
            repository: mirror,
            settings,
          })
          const memory = createReconcileMemory()
          let before = new Map<string, GuardedKey[]>()
          let past: PastDeletions[] = []
          const stops: string[] = []
          let [deleted, renamed] = [0, 0]
          const merges = history.merges.slice(0, MERGES)
          for (const { sha } of merges) {
            const plan = await planAt(ports, memory, CLUSTER, { commit: sha, rulesCommit: null }, signal)
            const now = Number(await history.git("show", "-s", "--format=%ct", sha)) * 1000
            const size = measureChange(before, guardedTargets(plan), new Set(plan.refused.keys()))
            const error = judgeChange(size, GUARD, past, now)
            if (error) stops.push(`${sha.slice(0, 12)} ${error.message}`)
            deleted += size.deletedKeys
            renamed += size.renamed.length
            const approved = error !== undefined
            const { atLeast } = GUARD
            past = pastAfter(past, { size, approved, window: windowOf(GUARD), atLeast, now })
            before = new Map([...plan.targets].map(([place, planned]) => [place, guardedKeys(planned)]))
          }
          const text = `guard: ${stops.length} false stops over ${merges.length} merges, ${deleted} keys deleted, ${renamed} renamed`
          process.stdout.write(`${[text, ...stops].join("\n")}\n`)
          expect(stops).toEqual([])
        } finally {
          await mirror.close()
        }
      }),
    )
  },
)
