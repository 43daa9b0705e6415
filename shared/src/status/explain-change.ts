import type { CommitSummary } from "../git/objects/commit-summary.ts"
import { timeAndAge } from "./age-text.ts"
import { type Explanation, explanation, type PlaceExplanation, type Step } from "./explanation.ts"
import type { ClusterSourceStatus, Finding, FleetStatus } from "./fleet-status.ts"
import type { CommitVerdict } from "./judge-commit.ts"
import { shortCommit } from "./short-commit.ts"
import { liveText } from "./status-text.ts"

/** A commit, and what is known of its way. */
export interface Change {
  kind: "commit" | "pull request" | "file"
  name: string
  commit: string
  /** Undefined: the mirror does not have it. */
  summary: CommitSummary | undefined
  /** How many commits of the branch come after it; `off`: it is not on the branch; undefined: git did not answer. */
  after: number | "off" | undefined
  branch: string
  /** Steps between git and webhook: which rules name a file, say. */
  rules: readonly Step[]
  /** The delivery that brought it; null: Redis has none; undefined: Redis is not known. */
  delivery: { guid: string; event: string; arrived: number } | null | undefined
  /** Whether it is live, by `cluster source`; only clusters that it concerns. */
  verdicts: ReadonlyMap<string, CommitVerdict>
  /** Targets that it touches, `namespace/name`, by cluster; undefined: not known, so all count. */
  targets?: ReadonlyMap<string, readonly string[]>
}

/** Says how far a change has got and why, from git to each node. Pure. */
export function explainChange(status: FleetStatus, change: Change): Explanation {
  const concerned = status.clusterSources.filter((one) => change.verdicts.has(keyOf(one)))
  const places = concerned.map((one) => placeOf(one, change))
  const live = places.filter(({ level }) => level === "well").length
  const redis = redisPlace(status)
  return explanation({
    kind: change.kind,
    name: change.name,
    at: status.at,
    answer: answerOf(live, places, change),
    steps: [commitStep(change, status.at), branchStep(change), ...change.rules, webhookStep(change, status)],
    places: [...places, ...redis],
  })
}

/** A Redis that is in trouble, with what to type: the step of the webhook has no room for a command. */
function redisPlace({ findings }: FleetStatus): PlaceExplanation[] {
  const bad = findings.filter(({ kind, level }) => kind === "redis" && level === "trouble")
  return bad.map((one) => ({
    place: "Redis",
    level: one.level,
    text: "wake-ups do not pass",
    findings: [one],
  }))
}

function keyOf({ cluster, source }: ClusterSourceStatus): string {
  return `${cluster} ${source}`
}

function answerOf(live: number, places: readonly PlaceExplanation[], { rules, after }: Change): string {
  if (places.length === 0) {
    return rules.some(({ level }) => level !== "well") ? "no rule names it" : "it concerns no cluster"
  }
  if (live === places.length) return "live everywhere"
  if (after === "off") return "not on the branch, so clusters do not follow it"
  const where = places.length === 1 ? "not live" : `live in ${live} of ${places.length} clusters`
  const worst =
    places.find(({ level }) => level === "trouble") ?? places.find(({ level }) => level !== "well")
  return `${where}: ${worst?.place}: ${worst?.text}`
}

function commitStep({ commit, summary }: Change, at: string): Step {
  if (summary === undefined) {
    return { what: "commit", level: "trouble", text: `${shortCommit(commit)} is not in the repository` }
  }
  const { subject, author, committed } = summary
  const time = timeAndAge(new Date(committed).toISOString(), at)
  return { what: "commit", level: "well", text: `${shortCommit(commit)} "${subject}" by ${author}, ${time}` }
}

function branchStep({ after, branch }: Change): Step {
  if (after === undefined)
    return { what: "branch", level: "notice", text: `git does not say where ${branch} is` }
  if (after === "off") return { what: "branch", level: "trouble", text: `it is not on ${branch}` }
  const text = after === 0 ? `it is the tip of ${branch}` : `on ${branch}, ${after} commits before its tip`
  return { what: "branch", level: "well", text }
}

function webhookStep({ delivery }: Change, { at, findings }: FleetStatus): Step {
  const full = findings.find(({ code }) => code === "lanes/redis-full")
  if (full && !delivery) return { what: "webhook", level: full.level, text: `${full.text}: ${full.detail}` }
  if (delivery === undefined) {
    const redis = findings.find(({ kind }) => kind === "redis")
    const why = redis?.detail ?? "nothing says where Redis is"
    return { what: "webhook", level: redis ? redis.level : "well", text: `not known: ${why}` }
  }
  if (delivery === null) {
    return { what: "webhook", level: "well", text: "none is known: a poll or another webhook brings it" }
  }
  const time = timeAndAge(new Date(delivery.arrived).toISOString(), at)
  return { what: "webhook", level: "well", text: `${delivery.event} ${delivery.guid} arrived ${time}` }
}

function placeOf(one: ClusterSourceStatus, change: Change): PlaceExplanation {
  const place = `${one.source} in ${one.cluster}`
  const verdict = change.verdicts.get(keyOf(one))
  const failed = failuresOf(one, change)
  if (verdict?.live) return { place, level: "well", text: liveText(one.nodes) || "written", findings: [] }
  const text = verdict?.reasons[0] ?? "not known"
  const findings = one.findings.filter((finding) => concerns(finding, failed))
  const isTrouble = findings.some(({ level }) => level === "trouble")
  return { place, level: isTrouble ? "trouble" : "notice", text, findings }
}

/** The failed targets that the change touches. */
function failuresOf({ cluster, failed }: ClusterSourceStatus, { targets }: Change): string[] {
  const touched = targets?.get(cluster)
  const all = failed.map(({ target }) => target)
  return touched === undefined ? all : all.filter((target) => touched.includes(target))
}

/** What other targets do keeps no change from being live, and is not said here. */
function concerns({ kind, subject }: Finding, failed: readonly string[]): boolean {
  if (kind === "orphan" || kind === "foreign" || kind === "unreadable") return false
  return kind !== "failed" || subject === null || failed.includes(subject)
}
