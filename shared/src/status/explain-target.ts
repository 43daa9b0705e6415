import { type Explanation, explanation, type PlaceExplanation, type Step } from "./explanation.ts"
import type { ClusterSourceStatus, Finding, FleetStatus } from "./fleet-status.ts"
import { shortCommit } from "./short-commit.ts"

/** A target in one cluster. */
export interface TargetFacts {
  cluster: string
  source: string
  /** True when the rules name it at what the record shows. */
  isPlanned: boolean
  /** True: a ConfigMap of this name is written; false: its files are in the store alone. */
  isView: boolean
  /** How many files it holds, by the rules; null: not known. */
  files: number | null
  /** What the ConfigMap says of its last write; null: no ConfigMap, or none of ours; undefined: not known. */
  stamp: { source: string; commit: string } | null | undefined
  /** True when a ConfigMap of that name is there; undefined: not known. */
  exists: boolean | undefined
}

/** Says what a target holds in each cluster, and why. Pure. */
export function explainTarget(
  status: FleetStatus,
  target: string,
  facts: readonly TargetFacts[],
  steps: readonly Step[],
): Explanation {
  const places = facts.flatMap((one) => {
    const place = status.clusterSources.find(
      ({ cluster, source }) => cluster === one.cluster && source === one.source,
    )
    return place ? [placeOf(place, target, one)] : []
  })
  const bad = places.find(({ level }) => level === "trouble") ?? places.find(({ level }) => level !== "well")
  const answer =
    places.length === 0
      ? "no rule names it, and nothing of ours has that name"
      : bad
        ? `${bad.place}: ${bad.text}`
        : "as the rules want it everywhere"
  return explanation({ kind: "target", name: target, at: status.at, answer, steps: [...steps], places })
}

function placeOf(one: ClusterSourceStatus, target: string, facts: TargetFacts): PlaceExplanation {
  const place = `${one.source} in ${one.cluster}`
  const own = one.findings.filter(({ kind, subject, detail }) =>
    kind === "orphan" ? detail?.split(", ").includes(target) : subject === target,
  )
  // What keeps the whole source from moving keeps this target, too.
  const whole = one.findings.filter(({ kind }) =>
    ["unreachable", "stopped", "absent", "behind"].includes(kind),
  )
  const findings = [...own, ...whole]
  return { place, level: levelOf(findings), text: textOf(one, facts, findings), findings }
}

function levelOf(findings: readonly Finding[]): PlaceExplanation["level"] {
  if (findings.some(({ level }) => level === "trouble")) return "trouble"
  return findings.length > 0 ? "notice" : "well"
}

function textOf(one: ClusterSourceStatus, facts: TargetFacts, findings: readonly Finding[]): string {
  const { stamp, exists, isPlanned, isView, files } = facts
  if (one.state === "unreachable") return "what it holds is not known"
  const failed = findings.find(({ kind }) => kind === "failed")
  if (failed) return `failed, holds what it held before${stamp ? `, of ${shortCommit(stamp.commit)}` : ""}`
  if (!isPlanned)
    return exists ? "no rule names it any more; it keeps what it holds" : "no rule names it here"
  const size = files === null ? "" : `${files} files `
  if (!isView) return `${size}of ${shortCommit(one.commit)}, in the store alone: no ConfigMap is written`
  if (exists === false) return "the rules name it, and it is not there yet"
  if (stamp === null) return "a ConfigMap of this name is there that Headrace has not written"
  const last = stamp ? `last changed by ${shortCommit(stamp.commit)}` : ""
  return `${size}as of ${shortCommit(one.commit)}${last ? `, ${last}` : ""}`
}
