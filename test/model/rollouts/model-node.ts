import { isSameRevision, type RecordRevision } from "@headrace/agent/assemble/followed-record"
import { NO_INPUTS } from "@headrace/agent/assemble/inputs"
import type { HealthState } from "@headrace/agent/health/judge-health"
import { type ShowStep, showSteps } from "@headrace/agent/project/trial"
import { rolloutReport } from "@headrace/agent/report/rollout-report"
import type { Returned } from "@headrace/agent/store/note"
import type { SourceRecord, Token } from "@headrace/shared/record/record"
import { ALL_NODES } from "@headrace/shared/record/rollout-state"
import { takesCandidate } from "@headrace/shared/record/takes-candidate"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { ReportedNode } from "@headrace/shared/rollout/reported-node"

/** A revision of a record as a node shows it. */
export interface ShownRevision extends RecordRevision {
  commit: string
  isCandidate: boolean
  /** Counts what the node has shown. */
  number: number
}

/** What becomes of a node that shows a commit; what gates refuse is shown by none. */
export type Effect = "works" | "fails" | "silences" | "fails elsewhere" | "fails late" | "is refused"

/** The cluster in which a commit that fails elsewhere works. */
export const LUCKY = "canary"

/**
 * What becomes of a node where a commit of this effect is shown: in a cluster, and as a candidate that is for `bound`. One
 * that fails late does so in the stage that is for the whole cluster.
 */
export function effectIn(
  effect: Effect,
  cluster: string,
  bound = ALL_NODES,
): "works" | "fails" | "silences" | "is refused" {
  if (effect === "fails late") return bound === ALL_NODES ? "fails" : "works"
  if (effect !== "fails elsewhere") return effect
  return cluster === LUCKY ? "works" : "fails"
}

/** A node with an agent of one projection, as far as a rollout sees it: what it shows, notes and last reported. */
export interface ModelNode {
  name: string
  labels: { [label: string]: string }
  alive: boolean
  /** Does not hear of records, and reports on. */
  deaf: boolean
  shown: ShownRevision | undefined
  /** How many revisions it has shown. */
  number: number
  /** The largest token that it has shown; it refuses a smaller one, but for what it returns to by itself. */
  floor: Token
  /** What the candidate that it tries has replaced. */
  baseline: ShownRevision | undefined
  /** The candidate that failed here, while the record calls it one. */
  returned: Returned | undefined
  /** What its check finds of what it shows. */
  health: HealthState | undefined
  reported: (ReportedNode & { at: number }) | undefined
  reports: number
  /** Every candidate that it began to show, by token, in order. */
  tried: string[]
}

export function modelNode(name: string, labels: ModelNode["labels"] = {}): ModelNode {
  return {
    name,
    labels,
    alive: true,
    deaf: false,
    shown: undefined,
    number: 0,
    floor: { epoch: 0, seq: 0 },
    baseline: undefined,
    returned: undefined,
    health: undefined,
    reported: undefined,
    reports: 0,
    tried: [],
  }
}

/** How a node behaves, where a mutant does not. */
export interface NodeRules {
  /** False: what it returned from is taken again at the next look. */
  keepsReturn: boolean
  /** True: a stage for labelled nodes is taken by every node. */
  ignoresLabels?: boolean
}

/** The node reads the record, shows what the agent's own rules say, runs its check, and shows again where that fails. */
export async function lookAtRecord(
  node: ModelNode,
  record: SourceRecord,
  effect: (commit: string) => Effect,
  rules: NodeRules = { keepsReturn: true },
): Promise<void> {
  if (!node.alive || node.deaf) return
  await show(node, record, rules)
  runCheck(node, effect)
  if (node.health?.checks !== "failing" || !node.health.of.isCandidate) return
  await show(node, record, rules)
  runCheck(node, effect)
}

async function show(
  node: ModelNode,
  record: SourceRecord,
  { keepsReturn, ignoresLabels = false }: NodeRules,
): Promise<void> {
  const { source, candidate } = record
  const { name, labels } = node
  const isTaken = candidate !== null && takesCandidate({ source, node: name, labels }, candidate)
  const takes = isTaken || (ignoresLabels && candidate !== null && candidate.selectors.length > 0)
  const folder = { ...folderOf(node), ...(keepsReturn ? {} : { returned: () => null }) }
  const steps = await showSteps(folder, { ...NO_INPUTS, record }, { takes, health: node.health })
  for (const step of steps) if (!showStep(node, step)) return
}

/** The node's projection, as the agent's rules see it. */
function folderOf(node: ModelNode): Parameters<typeof showSteps>[0] {
  return {
    floor: () => node.floor,
    current: () => node.shown as never,
    examine: async () => "right",
    baseline: () => node.baseline ?? null,
    returned: () => node.returned ?? null,
    async returnToBaseline(failed) {
      node.returned = { ...failed, number: node.baseline?.number ?? null, since: "" }
      if (node.baseline) node.shown = node.baseline
      return node.baseline !== undefined
    },
    async endTrial() {
      node.baseline = undefined
      node.returned = undefined
    },
  }
}

/** False where it refuses to go back: then nothing that was to follow is shown either. */
function showStep(node: ModelNode, { inputs, revision, isCandidate, trial, returns }: ShowStep): boolean {
  const commit = inputs.record?.commit ?? null
  if (revision === undefined || commit === null) return false
  if (compareTokens(revision.token, node.floor) < 0 && !returns) return false
  if (isSameRevision(node.shown, revision)) {
    if (node.shown) node.shown = { ...node.shown, isCandidate }
    return true
  }
  if (trial) node.baseline = node.shown
  if (isCandidate) node.tried.push(tokenText(revision.token))
  node.number += 1
  const { token, root } = revision
  node.shown = { commit, token, root, isCandidate, number: node.number }
  if (compareTokens(token, node.floor) > 0) node.floor = token
  if (!returns || !node.returned) return true
  node.baseline = node.shown
  node.returned = { ...node.returned, number: node.number }
  return true
}

function runCheck(node: ModelNode, effect: (commit: string) => Effect): void {
  if (node.shown === undefined) return
  const { commit, token, root, isCandidate } = node.shown
  const of = { projection: "all", path: "/all", revision: commit, token, root, isCandidate }
  const becomes = effect(commit)
  if (becomes === "silences") node.alive = false
  const problem = { check: "exec[0]", message: "exit code 1", since: "" }
  node.health =
    becomes === "fails"
      ? { of, checks: "failing", problem, passes: new Map() }
      : { of, checks: "passing", passes: new Map() }
}

/** The node reports what it shows, at `now` in milliseconds. */
export function report(node: ModelNode, now: number): void {
  if (!node.alive) return
  const { name, labels, shown, returned, health } = node
  const code = "projection/returned"
  const failedCandidate = returned && { ...returned, code, message: returned.reason }
  const problem = failedCandidate ?? (health?.problem && { ...health.problem, code: "projection/unhealthy" })
  const facts = rolloutReport({ labels, keepsBaseline: null, isStaged: true }, [
    {
      ...{ name: "all", path: "/all", ofRecord: true, followsRecord: true, current: returned === undefined },
      ...{ recordRevision: shown && { token: shown.token, root: shown.root }, health, failedCandidate },
    },
  ])
  if (facts === null) return
  const { failed } = facts
  node.reports += 1
  node.reported = {
    ...facts,
    node: name,
    version: String(node.reports),
    fresh: true,
    answers: true,
    failed: failed && { token: failed.token, root: failed.root, why: failed.message },
    problem: problem ? `${problem.message} [${problem.code}]` : null,
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
