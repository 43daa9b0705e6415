import type { RolloutPolicy } from "../../rollout/policy.ts"
import type { CheckAnswer, PolicyCheck } from "../../rollout/policy-checks.ts"
import type { ReportedNode } from "../../rollout/reported-node.ts"
import type { PeerRecord } from "../../rollout/seen-clusters.ts"

/** What a source's rollout needs beside its own cluster's records and objects. */
export interface RolloutPorts {
  policy: RolloutPolicy
  /**
   * True where a policy that differs from the candidate's ends the rollout: of the programs that work the lanes. Any
   * other program leaves the record alone and says so.
   */
  leads: boolean
  /** The source's records of all other clusters, as they are after the call; those that do not answer in time are named. */
  peers(signal: AbortSignal): Promise<ReadonlyMap<string, PeerRecord>>
  /** What the nodes of our own cluster that follow the source's record report. Throws KubeError. */
  nodes(signal: AbortSignal): Promise<ReportedNode[]>
  /** Asks an http or prometheus check of the policy, in bounded time. Rejects only with the signal's reason. */
  ask(check: PolicyCheck, signal: AbortSignal): Promise<CheckAnswer>
}
