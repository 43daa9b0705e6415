import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import type { CheckedOutFile } from "@headrace/shared/git/checked-out-files"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { diffConfigMap, type KeyDifference } from "@headrace/shared/plan/diff-config-map"
import type { PlannedTarget } from "@headrace/shared/plan/plan"
import { isOurs, otherOwner, readStamp, type Stamp } from "@headrace/shared/reconcile/target/ownership"
import type { ExplainedDifference, TargetDifference } from "./target-difference.ts"

/** What named ConfigMaps of one cluster should hold. */
export interface WantedTargets {
  targets: readonly PlannedTarget[]
  /** The source that asks for them; undefined: it is not known which. */
  source: string | undefined
  /** The uncompressed contents of a target's keys, in their order. */
  contents(planned: PlannedTarget): Promise<readonly Buffer[]>
  /** How a clone has these files on disk, by the file's path in the plan: only those that attributes convert. */
  checkedOut(files: readonly TreeFile[]): Promise<ReadonlyMap<string, CheckedOutFile>>
  /** Which keys that no rule names are ours to take away, given who wrote the target last. */
  owned(stamp: Stamp | undefined, planned: PlannedTarget): Promise<(key: string) => boolean>
}

/** The ConfigMaps that are not as they should be; an absent one that would be empty is. Throws KubeError, `git/…`. */
export async function diffTargets(
  kube: ConfigMapReader,
  wanted: WantedTargets,
  signal: AbortSignal,
): Promise<TargetDifference[]> {
  const differences: TargetDifference[] = []
  for (const planned of wanted.targets) {
    const difference = await diffTarget(kube, planned, wanted, signal)
    if (difference) differences.push(difference)
  }
  return differences
}

async function diffTarget(
  kube: ConfigMapReader,
  planned: PlannedTarget,
  { source, contents, owned, checkedOut }: WantedTargets,
  signal: AbortSignal,
): Promise<TargetDifference | undefined> {
  const { target, keys } = planned
  const existing = await kube.get(target.namespace, target.name, signal)
  const content = await contents(planned)
  const wanted = keys.map(({ key, gzip }, index) => ({
    key,
    gzip,
    content: content[index] ?? Buffer.alloc(0),
  }))
  const stamp = existing && readStamp(existing)
  const state = stateOf(existing, source)
  const isToTake = state === "present" ? await owned(stamp, planned) : () => false
  const differing = await explained(diffConfigMap(existing, wanted, isToTake), planned, checkedOut)
  // What holds the right content but is not ours to write will not stay right.
  const barred = state === "not-ours" || state === "other-source"
  return differing.length > 0 || barred ? { target, state, keys: differing } : undefined
}

/** Names the attributes of changed files that a clone has otherwise on disk than git has them. */
async function explained(
  differing: readonly KeyDifference[],
  { keys }: PlannedTarget,
  checkedOut: WantedTargets["checkedOut"],
): Promise<ExplainedDifference[]> {
  const fileOf = new Map(keys.map(({ key, file }) => [key, file]))
  const changed = differing.flatMap(({ kind, key }) => (kind === "changed" ? [fileOf.get(key)] : []))
  const onDisk = await checkedOut(changed.filter((file) => file !== undefined))
  return differing.map((one) => {
    const clone = one.kind === "changed" ? onDisk.get(fileOf.get(one.key)?.path ?? "") : undefined
    if (clone === undefined || one.after?.equals(clone.content)) return one
    return { ...one, attributes: clone.attributes }
  })
}

function stateOf(existing: ConfigMap | undefined, source: string | undefined): TargetDifference["state"] {
  if (existing === undefined) return "absent"
  if (!isOurs(existing)) return "not-ours"
  return source !== undefined && otherOwner(existing, source) !== undefined ? "other-source" : "present"
}
