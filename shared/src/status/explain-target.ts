import { reportsNow } from "../record/report-of-lease.ts"
import { compareTokens } from "../record/token.ts"
import { type Explanation, explanation, type PlaceExplanation, type Step } from "./explanation.ts"
import type { ClusterSourceFacts } from "./fleet-facts.ts"
import type { ClusterSourceStatus, Finding, FleetStatus } from "./fleet-status.ts"
import { shortCommit } from "./short-commit.ts"
import { liveText } from "./status-text.ts"

/** What concerns the targets that it names alone, or no target. */
const OF_OTHERS: readonly Finding["kind"][] = ["failed", "orphan", "foreign", "unreadable", "word"]

/** A target in one cluster. */
export interface TargetFacts {
  cluster: string
  source: string
  /** True when the rules name it at what the record shows. */
  isPlanned: boolean
  /** True: a ConfigMap of this name is written; false: its files are in the store alone. */
  isView: boolean
  /** How many files of it the record shows; null: not known. */
  files: number | null
  /** True when every node reports that it shows the target as the record has it; undefined: reports do not name it. */
  isShown: boolean | undefined
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
  // What keeps the whole source from moving, or nodes from showing it, keeps this target, too.
  const whole = one.findings.filter(
    ({ kind }) => !OF_OTHERS.includes(kind) && !(facts.isShown && kind === "node"),
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
  if (!isPlanned) return unplannedText(one, facts)
  const size = files === null ? "" : `${files} files `
  const of = shortCommit(one.commit)
  if (!isView) return `${size}of ${of}, in the store alone: no ConfigMap is written${laggingText(one)}`
  if (exists === false) return "the rules name it, and it is not there yet"
  if (stamp === null) return "a ConfigMap of this name is there that Headrace has not written"
  const last = stamp ? `, last changed by ${shortCommit(stamp.commit)}` : ""
  return `${size}as of ${of}${last}${laggingText(one)}`
}

/** Of a target that the rules at the tip do not name: the record may not have come so far. */
function unplannedText(one: ClusterSourceStatus, { files, exists }: TargetFacts): string {
  if (one.commit !== one.tip && files !== null) {
    const shown = `${files} files as of ${shortCommit(one.commit)}`
    return `${shown}; no rule names it at the tip, ${shortCommit(one.tip)}${laggingText(one)}`
  }
  return exists ? "no rule names it any more; it keeps what it holds" : "no rule names it here"
}

/** `; live on 1/2 nodes`; nothing where all are. */
function laggingText({ nodes }: ClusterSourceStatus): string {
  const isLive = nodes === null || nodes.live === nodes.total + nodes.silent.length
  return isLive ? "" : `; ${liveText(nodes)}`
}

/**
 * Whether every node shows a target as the record has it, by reports that name it: a node lists each target as a
 * projection where it projects all. Undefined where a node that follows the record does not. Pure.
 */
export function isShownEverywhere(
  { leases, record, recordName }: Pick<ClusterSourceFacts, "leases" | "record" | "recordName">,
  target: string,
  now: number,
): boolean | undefined {
  const token = record.known ? record.value?.token : undefined
  if (!leases.known || leases.value === undefined || token === undefined) return undefined
  const own = reportsNow(leases.value, now)
    .filter((report) => report.record === recordName)
    .map(({ projections }) => projections.find(({ name }) => name === target))
  if (own.length === 0 || own.includes(undefined)) return undefined
  return own.every(
    (each) => each?.problem === null && each.token !== null && compareTokens(each.token, token) === 0,
  )
}
