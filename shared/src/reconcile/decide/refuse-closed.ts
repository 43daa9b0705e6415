import pLimit from "p-limit"
import { hasCode } from "../../foundation/errors.ts"
import type { TargetId } from "../../foundation/target.ts"
import { readConfigMap } from "../../kube/read-config-map.ts"
import { namespacesLine } from "../../plan/open-namespaces.ts"
import type { PlannedTarget } from "../../plan/plan.ts"
import { closedReason } from "../../record/record.ts"
import { type ClusterPlan, placeText, withRefused } from "../run/cluster-plan.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { Run } from "../run/run.ts"
import { targetsBelow } from "../store/stored-targets.ts"
import { isOurs, otherOwner } from "../target/ownership.ts"

const CONCURRENT_READS = 6

/** What of a run is needed here; commands that only look have no more of one. */
type ClosedRun = Pick<Run, "ports" | "memory" | "request" | "signal">

/**
 * The plan with those targets refused that would be new in a namespace which is closed by default. What the record names is
 * not new: the plan in force or its root index has it. Where the record is lost or knows less, a ConfigMap of ours or of
 * Prow's that is there says the same. Throws `kube/…`.
 */
export async function refuseClosed(
  run: ClosedRun,
  { root, whole, previous }: { root: string | null; whole: ClusterPlan; previous: ClusterPlan | undefined },
): Promise<ClusterPlan> {
  const closed = [...whole.targets.values()].filter((planned) => planned.closed)
  if (closed.length === 0) return whole
  const known = await placesInForce(run, root, previous)
  const unknown = closed.filter(({ target }) => !known.has(placeText(target)))
  const fresh = await newInClosed(run.ports, run.request.source, unknown, run.signal)
  return withRefused(whole, closedReasons(whole.targets.values(), fresh, run.ports.settings))
}

/**
 * Of planned targets, those that would be new in a namespace which is closed by default, by what the cluster holds alone.
 * Throws `kube/…`.
 */
export async function newInClosed(
  { kube, clock }: Pick<ReconcilePorts, "clock"> & { kube: Pick<ReconcilePorts["kube"], "get"> },
  source: string | undefined,
  planned: readonly PlannedTarget[],
  signal: AbortSignal,
): Promise<TargetId[]> {
  const limit = pLimit(CONCURRENT_READS)
  const closed = planned.filter((one) => one.closed)
  const fresh = await Promise.all(
    closed.map(({ target }) => limit(async () => ((await isThere(target)) ? [] : [target]))),
  )
  return fresh.flat()

  /** What may not be read is not known to be ours. */
  async function isThere(target: TargetId): Promise<boolean> {
    try {
      const existing = await readConfigMap({ kube, clock }, target, signal)
      if (existing === undefined || !isOurs(existing)) return false
      return source === undefined || otherOwner(existing, source) === undefined
    } catch (error) {
      if (hasCode(error, "kube/forbidden")) return false
      throw error
    }
  }
}

/**
 * `namespace/name` of new targets to the reason, with the line that opens their namespace. That line closes what it does
 * not name, so it names every namespace with targets that exist. Pure.
 */
export function closedReasons(
  planned: Iterable<PlannedTarget>,
  fresh: readonly TargetId[],
  { defaults }: Pick<ReconcilePorts["settings"], "defaults">,
): Map<string, string> {
  const refused = new Set(fresh.map(placeText))
  const kept = [...planned].filter(({ target }) => !refused.has(placeText(target)))
  const open = new Set([defaults.namespace, ...kept.map(({ target }) => target.namespace)])
  return new Map(
    fresh.map((target) => [placeText(target), closedReason(namespacesLine([...open, target.namespace]))]),
  )
}

async function placesInForce(
  run: ClosedRun,
  root: string | null,
  previous: ClusterPlan | undefined,
): Promise<ReadonlySet<string>> {
  const stored = root === null ? undefined : await targetsBelow(run, root)
  return new Set([...(previous?.targets.keys() ?? []), ...(stored ?? []).map(placeText)])
}
