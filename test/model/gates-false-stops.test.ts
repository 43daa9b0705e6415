import { readFileSync } from "node:fs"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { problemText } from "@headrace/shared/foundation/problem"
import { judgeGates } from "@headrace/shared/gates/judge-gates"
import { type Mirror, openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { wholePlanAt } from "@headrace/shared/reconcile/decide/plan-at"
import { settingsFor } from "@headrace/shared/reconcile/open-reconciler"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { describe, expect, it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { REAL_BRANCH, realHistoryMissing } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withRealHistory } from "../harness/with-real-history.ts"

const signal = new AbortController().signal
const SAMPLE = join(import.meta.dirname, "../../config/samples/gates.yaml")
/** All 335 in the long form. */
const MERGES = Number(process.env.HEADRACE_REPLAY_MERGES ?? 40)
/** What a merge that was meant may be stopped for: each is explained here. */
const EXPLAINED: { [commit: string]: string } = {}

describe.skipIf(realHistoryMissing())(
  `the gates of the sample file over every merge of a real repository${whySkipped(realHistoryMissing())}`,
  () => {
    it("stop at most three, each explained: all were meant", { timeout: 600_000 }, () =>
      withRealHistory(async (history) => {
        const last = history.merges.at(-1)
        if (last) await history.moveTo(last.sha)
        const log = createLog("test", { level: "silent" })
        const folder = join(history.folder, "..", "mirrors")
        const mirror = await openMirror({
          name: "jobs",
          url: history.folder,
          branch: REAL_BRANCH,
          folder,
          log,
        })
        try {
          await mirror.fetch(signal)
          const merges = history.merges.slice(0, MERGES)
          const stops = await replay(
            mirror,
            merges.map(({ sha }) => sha),
          )
          expect(stops.filter(({ why }) => why === undefined)).toEqual([])
          expect(stops.length).toBeLessThanOrEqual(3)
        } finally {
          await mirror.close()
        }
      }),
    )
  },
)

interface FalseStop {
  commit: string
  why: string | undefined
  problems: string[]
}

/** Judges each commit from the one before it, refused or not, as if an operator had approved it. */
async function replay(mirror: Mirror, commits: readonly string[]): Promise<FalseStop[]> {
  const sample = parseSettings(readFileSync(SAMPLE, "utf8"), SAMPLE, OperatorSettings)
  const settings = settingsFor(sample, "test-infra-trusted", "jobs")
  const { gates } = settings
  if (gates === undefined) throw new Error("the sample has no gates")
  const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const ports = reconcilePorts({ kube, repository: mirror, settings })
  const memory = createReconcileMemory()
  const read = (files: readonly { oid: string }[]) =>
    mirror.blobs(
      files.map(({ oid }) => oid),
      signal,
    )
  async function stateAt(commit: string) {
    const { plan } = await wholePlanAt(ports, memory, { commit, rulesCommit: null }, signal)
    return { tree: await mirror.tree(commit, signal), plan }
  }
  const stops: FalseStop[] = []
  let [before, spent]: [Awaited<ReturnType<typeof stateAt>> | undefined, number] = [undefined, 0]
  for (const commit of commits) {
    const after = await stateAt(commit)
    const plans = before && { before: before.plan, after: after.plan }
    const judged = {
      commit,
      gates,
      after: after.tree,
      before: before?.tree,
      plans,
      isShapeJudged: before !== undefined,
    }
    const start = performance.now()
    const problems = await judgeGates(judged, { read, memory }, signal)
    spent += before ? performance.now() - start : 0
    before = after
    if (problems.length === 0) continue
    stops.push({ commit, why: EXPLAINED[commit], problems: problems.slice(0, 5).map(problemText) })
  }
  const cost = (spent / Math.max(1, commits.length - 1)).toFixed(1)
  const texts = stops.map(
    ({ commit, why, problems }) => `${commit} ${why ?? "not explained"}: ${problems.join("; ")}`,
  )
  const text = `gates: ${stops.length} false stops over ${commits.length} merges, ${cost} ms each`
  process.stdout.write(`${[text, ...texts].join("\n")}\n`)
  return stops
}
