import { approvalWordOf } from "../../record/approval-word.ts"
import { preparedRecord } from "../../rollout/changed-records.ts"
import { isSameRevision } from "../../rollout/followed-revision.ts"
import { policyDigest } from "../../rollout/policy.ts"
import { isHurried, recordsOf, type SeenClusters, skippedClusters } from "../../rollout/seen-clusters.ts"
import { settingsOfRecord } from "../decide/judge-settings.ts"
import type { Work } from "../decide/work-out.ts"
import { holdAndDeletions } from "../record/next-record.ts"
import { openWork } from "../record/open-work.ts"
import { type RecordState, swapState } from "../record/swap-record.ts"
import type { Run } from "../run/run.ts"
import { type StoreResult, writeStore } from "../write/write-store.ts"

/**
 * Writes a revision into the store and makes it the record's candidate, which no node takes yet: the agents see that
 * there is one, and answer with what they can say of it. An intent without targets keeps the collector away meanwhile;
 * the view is left alone. Undefined: the record moved on.
 */
export async function prepareCandidate(
  run: Run,
  seen: SeenClusters,
  state: RecordState,
  work: Work,
  stage: number,
): Promise<RecordState | undefined> {
  const { ports, request } = run
  const { desired, plan, judged } = work
  const { token, commit, rulesCommit } = desired
  const intent = { token, commit, rulesCommit, rules: plan.digest, targets: [] }
  const opened = await run.watch.time("record", () => openWork(run, state, intent))
  if (opened === undefined) return undefined
  const { root, behind, added } = await run.watch.time("store", () => storeRoot(run, opened, work))
  const { guard } = ports.settings
  const now = ports.clock.now()
  const revision = { commit, rulesCommit, rules: plan.digest }
  const prepared = {
    ...revision,
    token,
    root,
    policy: policyDigest(seen.policy),
    stage,
    hurried: isHurried(seen, revision),
    skipped: [...skippedClusters(seen)].sort(),
    word: wordOf(seen, revision) ?? wordOfApproval(state, revision),
  }
  const next = {
    ...preparedRecord(opened.record, prepared, new Date(now).toISOString()),
    // Deletions count from when they are tried: a return leaves them counted, which errs on the safe side.
    ...holdAndDeletions(opened.record, { judged, guard, stopped: null, now, behind }),
    settings: settingsOfRecord(ports.settings) ?? opened.record.settings,
  }
  ports.log.info({ commit, token, cluster: request.cluster }, "candidate written to the store")
  return run.watch.time("record", () => swapState(run, opened, next, added))
}

/** The word of the operator who had the same commit tried again. */
function wordOfApproval({ configMap }: RecordState, { commit }: { commit: string }) {
  const { by, reason, at } = approvalWordOf(configMap, commit) ?? {}
  return by === undefined || reason === undefined || at === undefined ? null : { by, reason, at }
}

async function storeRoot(
  run: Run,
  { record }: RecordState,
  work: Work,
): Promise<Pick<StoreResult, "behind" | "added"> & { root: string | null }> {
  if (!run.ports.settings.store) return { root: null, behind: 0, added: undefined }
  return writeStore(run, record, work, { full: false, isCandidate: true, hadOpenWork: false })
}

function wordOf(seen: SeenClusters, revision: Parameters<typeof isHurried>[1]) {
  const words = [...recordsOf(seen).values()].flatMap(({ candidate }) =>
    candidate && isSameRevision(candidate, revision) ? (candidate.word ?? []) : [],
  )
  return words[0] ?? null
}
