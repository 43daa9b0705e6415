import type { SourceRecord } from "../../record/record.ts"
import type { FollowedRevision } from "../../rollout/followed-revision.ts"
import type { SeenClusters } from "../../rollout/seen-clusters.ts"
import type { Tips } from "../decide/desired-revision.ts"
import { goalAt } from "../decide/desired-revision.ts"
import { rulesDigestAt } from "../decide/plan-at.ts"
import type { RecordState } from "../record/swap-record.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"

/** Reads the other clusters' records, after our own: what they say is as new as what we decide on. Throws nothing of theirs. */
export async function seeClusters(
  { request, ports, signal }: Run,
  { policy, peers }: RolloutPorts,
  { record }: RecordState,
): Promise<SeenClusters> {
  return { policy, self: request.cluster, record, peers: await peers(signal), now: ports.clock.now() }
}

/** The goal at these tips as a rollout follows it. Throws `rules/…`, `git/…`. */
export async function goalRevision(run: Run, tips: Tips, record: SourceRecord): Promise<FollowedRevision> {
  const revision = goalAt(tips, record)
  return { ...revision, rules: await rulesDigestAt(run.ports, run.memory, revision, run.signal) }
}

/** Tips that are a revision which another record names: nothing has to be fetched for it, unless the mirror lacks it. */
export function tipsOf(run: Run, { commit, rulesCommit }: FollowedRevision): Tips {
  const rules = rulesCommit === null ? undefined : { commit: rulesCommit, seq: 0 }
  return { source: { commit, seq: 0 }, rules, at: run.ports.clock.now() }
}
