import type { SourceRecord, Token } from "@headrace/shared/record/record"
import { ALL_NODES } from "@headrace/shared/record/rollout-state"
import { takesCandidate } from "@headrace/shared/record/takes-candidate"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { ReportedNode } from "@headrace/shared/rollout/reported-node"

/** A revision of a record as a node shows it. */
export interface ShownRevision {
  commit: string
  token: Token
  root: string | null
  isCandidate: boolean
}

/** What becomes of a node that shows a commit. */
export type Effect = "works" | "fails" | "silences" | "fails elsewhere" | "fails late"

/** The cluster in which a commit that fails elsewhere works. */
export const LUCKY = "canary"

/**
 * What becomes of a node where a commit of this effect is shown: in a cluster, and as a candidate that is for `bound`. One
 * that fails late does so in the stage that is for the whole cluster.
 */
export function effectIn(effect: Effect, cluster: string, bound = ALL_NODES): "works" | "fails" | "silences" {
  if (effect === "fails late") return bound === ALL_NODES ? "fails" : "works"
  if (effect !== "fails elsewhere") return effect
  return cluster === LUCKY ? "works" : "fails"
}

/** A node with an agent, as far as a rollout sees it: what it shows, and what it last reported. */
export interface ModelNode {
  name: string
  alive: boolean
  /** Does not hear of records, and reports on. */
  deaf: boolean
  shown: ShownRevision | undefined
  /** The largest token that it has shown; it refuses a smaller one, but for what it returns to by itself. */
  floor: Token | undefined
  /** The revision that failed here, until the record names others. */
  failed: ShownRevision | undefined
  reported: (ReportedNode & { at: number }) | undefined
  reports: number
  /** Every candidate that it began to show, by token, in order. */
  tried: string[]
}

export function modelNode(name: string): ModelNode {
  return {
    name,
    alive: true,
    deaf: false,
    shown: undefined,
    floor: undefined,
    failed: undefined,
    reported: undefined,
    reports: 0,
    tried: [],
  }
}

/** How a node behaves, where a mutant does not. */
export interface NodeRules {
  /** False: what it returned from is taken again at the next look. */
  keepsReturn: boolean
}

/** The node reads the record, shows what it names for it, runs its checks, and returns by itself where they fail. */
export function lookAtRecord(
  node: ModelNode,
  record: SourceRecord,
  effect: (commit: string) => Effect,
  { keepsReturn }: NodeRules = { keepsReturn: true },
): void {
  if (!node.alive || node.deaf) return
  const { offered, baseline } = offerOf(node, record)
  if (offered === undefined) return
  if (node.failed && !isSame(node.failed, offered)) node.failed = undefined
  if (node.failed && keepsReturn) return
  show(node, offered)
  if (node.shown === undefined || !isSame(node.shown, offered)) return
  const becomes = effect(offered.commit)
  if (becomes === "silences") node.alive = false
  if (becomes !== "fails") return
  node.failed = node.shown
  // By itself it goes back from a candidate alone, whatever the floor says.
  if (offered.isCandidate && baseline) node.shown = pick(baseline)
}

function offerOf(
  node: ModelNode,
  record: SourceRecord,
): { offered?: ShownRevision; baseline?: ShownRevision } {
  const { source, candidate, commit, token, root } = record
  const takes = candidate !== null && takesCandidate({ source, node: node.name, labels: {} }, candidate)
  const baseline = commit === null ? {} : { baseline: { commit, token, root, isCandidate: false } }
  if (takes) return { offered: { ...candidate, isCandidate: true }, ...baseline }
  return baseline.baseline ? { offered: baseline.baseline, ...baseline } : {}
}

function show(node: ModelNode, offered: ShownRevision): void {
  if (node.floor && compareTokens(offered.token, node.floor) < 0) return
  const isNew = !node.shown || !isSame(node.shown, offered)
  if (offered.isCandidate && isNew) node.tried.push(tokenText(offered.token))
  node.shown = pick(offered)
  node.floor = offered.token
}

function pick({ commit, token, root, isCandidate }: ShownRevision): ShownRevision {
  return { commit, token, root, isCandidate }
}

function isSame(a: ShownRevision, b: ShownRevision): boolean {
  return compareTokens(a.token, b.token) === 0 && a.root === b.root
}

/** The node reports what it shows, at `now` in milliseconds. */
export function report(node: ModelNode, now: number): void {
  if (!node.alive) return
  const { shown, failed } = node
  node.reports += 1
  node.reported = {
    node: node.name,
    labels: {},
    version: String(node.reports),
    fresh: true,
    answers: true,
    keepsBaseline: null,
    shown: shown ? { token: shown.token, root: shown.root } : null,
    checks: failed && shown && isSame(failed, shown) ? "failing" : "passing",
    failed: failed ? { token: failed.token, root: failed.root, why: "its check failed" } : null,
    problem: failed ? "it shows the revision before [projection/returned]" : null,
    at: now,
  }
}

/** How long a report counts as fresh, in milliseconds. */
const FRESH_MS = 15_000

/** The reports that are in the cluster, those of dead nodes too. */
export function reportsOf(nodes: Iterable<ModelNode>, now: number): ReportedNode[] {
  return [...nodes].flatMap(({ reported }) => {
    if (reported === undefined) return []
    const { at, ...rest } = reported
    return [{ ...rest, fresh: at + FRESH_MS >= now }]
  })
}
