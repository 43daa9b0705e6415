import { paintFor } from "@headrace/shared/command-line/paint"
import { readStamp } from "@headrace/shared/reconcile/target/ownership"
import { type Answer, type Ask, startAsking } from "@headrace/shared/status/answer"
import { collectFleet } from "@headrace/shared/status/collect-fleet"
import { type Change, explainChange } from "@headrace/shared/status/explain-change"
import { explainNode, leasesOfNode } from "@headrace/shared/status/explain-node"
import { explainTarget, isShownEverywhere, type TargetFacts } from "@headrace/shared/status/explain-target"
import type { Explanation, Step } from "@headrace/shared/status/explanation"
import { explanationText } from "@headrace/shared/status/explanation-text"
import { type ClusterSourceFacts, type FleetFacts, laneKey } from "@headrace/shared/status/fleet-facts"
import type { FleetStatus } from "@headrace/shared/status/fleet-status"
import { judgeCommit } from "@headrace/shared/status/judge-commit"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { rejectionsOf, revisionsWith } from "@headrace/shared/status/revisions-with"
import { type Fleet, type FleetOptions, openFleet } from "../../cli/open-fleet.ts"
import { terminalColumns } from "../../cli/terminal-columns.ts"
import { findSubject, type Subject } from "./find-subject.ts"
import { plansAtTip, type TipPlan } from "./plans-at-tip.ts"
import { isRecorded, shownFiles } from "./shown-target.ts"
import { targetHolders } from "./target-holders.ts"

export interface ExplainOptions extends FleetOptions {
  output: "text" | "json"
}

/** Webhook deliveries among which a commit's is looked for. */
const DELIVERIES = 2000

/** What was found out, and how to find out more. */
interface Found {
  fleet: Fleet
  facts: FleetFacts
  status: FleetStatus
  /** What the rules want at the tip, by `cluster source`. */
  plans: ReadonlyMap<string, Answer<TipPlan>>
  ask: Ask
  signal: AbortSignal
}

/** Runs `explain`; gives the exit code: 1 while something keeps it from where it is meant to be. */
export async function runExplain(
  what: string,
  options: ExplainOptions,
  signal: AbortSignal,
): Promise<number> {
  const fleet = await openFleet(options, DELIVERIES)
  try {
    const { clusterSources, limit, ports, context } = fleet
    const collected = { clusterSources, fetch: options.fetch, limit }
    const facts = await collectFleet(ports, collected, signal)
    const ask = startAsking(limit, signal)
    const status = judgeFleet(facts, context)
    const plans = await plansAtTip(fleet, facts, ask)
    const found = { fleet, facts, status, plans, ask, signal }
    const targets = knownTargets(status, plans)
    const named = what.replace(/^target:/, "")
    if (!targets.has(named) && (await isRecorded(named, found))) targets.add(named)
    const subject = await findSubject(what, fleet, facts, targets, ask)
    const explained = await explain(subject, found)
    process.stdout.write(printed(explained, options))
    return explained.level === "trouble" ? 1 : 0
  } finally {
    await fleet.close()
  }
}

function printed(explained: Explanation, { output }: ExplainOptions): string {
  if (output === "json") return `${JSON.stringify(explained, undefined, 2)}\n`
  return explanationText(explained, paintFor(process.stdout), terminalColumns())
}

/** `namespace/name` of everything that a plan, a record or a search for orphans names. */
function knownTargets({ clusterSources }: FleetStatus, plans: Found["plans"]): Set<string> {
  const planned = [...plans.values()].flatMap((plan) =>
    plan.known ? [...plan.value.targets.keys(), ...plan.value.refused.keys()] : [],
  )
  const recorded = clusterSources.flatMap(({ failed, orphans, foreign }) => [
    ...failed.map(({ target }) => target),
    ...(orphans ?? []),
    ...foreign.map(({ target }) => target),
  ])
  return new Set([...planned, ...recorded])
}

async function explain(subject: Subject, found: Found): Promise<Explanation> {
  const { fleet, facts, status } = found
  if (subject.kind === "node") {
    return explainNode(status, subject.node, leasesOfNode(facts, subject.node), fleet.context)
  }
  if (subject.kind === "target") return explainOneTarget(subject.target, found)
  return explainChange(status, await changeOf(subject, found))
}

async function changeOf(subject: Extract<Subject, { commit: string }>, found: Found): Promise<Change> {
  const { fleet, facts, ask } = found
  const { source, commit } = subject
  const git = `git, for source ${source},`
  const summary = await ask(git, async (signal) =>
    (await fleet.reconciler.repository(source)).summaryOf(commit, signal),
  )
  const { clusterSources } = facts
  const targets =
    subject.kind === "file"
      ? await targetHolders(subject, found.plans, { fleet, clusterSources, ask })
      : undefined
  const concerned = facts.clusterSources.filter(
    (one) => one.source === source && targets?.get(one.cluster)?.length !== 0,
  )
  const verdicts = await Promise.all(
    concerned.map((one) => verdictOf(one, { commit, touches: targets?.get(one.cluster) }, found)),
  )
  return {
    ...nameOf(subject),
    commit,
    summary: summary.known ? summary.value : undefined,
    after: await commitsAfter(subject, found),
    branch: fleet.settings.sources[source]?.branch ?? "",
    rules: subject.kind === "file" ? rulesSteps(subject, targets ?? new Map(), found) : [],
    delivery: deliveryOf(subject, facts),
    verdicts: new Map(verdicts),
    ...(targets === undefined ? {} : { targets }),
  }
}

function nameOf(subject: Extract<Subject, { commit: string }>): Pick<Change, "kind" | "name"> {
  if (subject.kind === "pr") return { kind: "pull request", name: `#${subject.number}` }
  if (subject.kind === "file") return { kind: "file", name: subject.path }
  return { kind: "commit", name: subject.commit.slice(0, 12) }
}

async function verdictOf(
  one: ClusterSourceFacts,
  { commit, touches }: { commit: string; touches: readonly string[] | undefined },
  { fleet, ask, facts }: Found,
) {
  const record = one.record.known ? one.record.value : undefined
  const recorded = await ask(`git, for source ${one.source},`, async (signal) => {
    if (record === undefined) return undefined
    const repository = await fleet.reconciler.repository(one.source)
    return revisionsWith(record, commit, repository, signal, rejectionsOf(facts.clusterSources, one.source))
  })
  const verdict = judgeCommit({
    facts: one,
    commit,
    touches: touches && new Set(touches),
    recorded: recorded.known ? recorded.value : undefined,
    ignoreSilent: false,
    now: facts.at,
  })
  const reasons = recorded.known ? verdict.reasons : [recorded.problem.message]
  return [laneKey(one.cluster, one.source), { ...verdict, reasons, live: reasons.length === 0 }] as const
}

async function commitsAfter(
  { source, commit }: Extract<Subject, { commit: string }>,
  { fleet, facts, ask }: Found,
): Promise<Change["after"]> {
  const branch = facts.branches.get(source)
  if (!branch?.known) return undefined
  const { commit: tip, seq } = branch.value
  const after = await ask(`git, for source ${source},`, async (signal) => {
    const repository = await fleet.reconciler.repository(source)
    const own = await repository.seqOf(commit, signal)
    if (own === undefined || !(await repository.contains(tip, commit, signal))) return "off" as const
    return seq - own
  })
  return after.known ? after.value : undefined
}

function deliveryOf(
  subject: Extract<Subject, { commit: string }>,
  { lanes }: FleetFacts,
): Change["delivery"] {
  if (!lanes?.known) return undefined
  const isIts = (one: { sha: string; pull: number | undefined }) =>
    one.sha === subject.commit || (subject.kind === "pr" && one.pull === subject.number)
  return lanes.value.deliveries.find(isIts) ?? null
}

function rulesSteps(
  { path, isThere, source }: Extract<Subject, { kind: "file" }>,
  targets: ReadonlyMap<string, readonly string[]>,
  { plans, fleet }: Found,
): Step[] {
  const names = [...new Set([...targets.values()].flat())]
  if (!isThere) {
    const held = names.length > 0 ? `; it was in ${names.join(", ")}` : ""
    const text = `the branch has the file no more: this commit removed it${held}`
    return [{ what: "rules", level: names.length > 0 ? "well" : "notice", text }]
  }
  if (names.length > 0) {
    const well: Step = { what: "rules", level: "well", text: `it is in ${names.join(", ")}` }
    return [well, ...names.flatMap((target) => refusedSteps(target, plans))]
  }
  const unknown = fleet.clusterSources
    .filter((one) => one.source === source)
    .map(({ cluster }) => plans.get(laneKey(cluster, source)))
    .find((plan) => plan && !plan.known)
  if (unknown && !unknown.known) {
    return [
      {
        what: "rules",
        level: "trouble",
        text: `which ConfigMaps hold it is not known: ${unknown.problem.message}`,
      },
    ]
  }
  return [{ what: "rules", level: "notice", text: `no rule names ${path}: no ConfigMap holds it` }]
}

async function explainOneTarget(target: string, found: Found): Promise<Explanation> {
  const { status, plans, facts } = found
  const each = await Promise.all(facts.clusterSources.map((place) => targetFacts(target, place, found)))
  const known = each.filter((one) => one !== undefined)
  const unknown = [...plans.values()].find((plan) => !plan.known)
  const steps: Step[] =
    unknown && !unknown.known
      ? [
          {
            what: "rules",
            level: "trouble",
            text: `what the rules want is not known: ${unknown.problem.message}`,
          },
        ]
      : refusedSteps(target, plans)
  return explainTarget({ ...status, at: new Date(facts.at).toISOString() }, target, known, steps)
}

/** A mistake about a target in the rules or files at the tip, where the records may not have met it yet. */
function refusedSteps(target: string, plans: Found["plans"]): Step[] {
  const refused = [...plans.values()].flatMap((plan) => (plan.known ? [plan.value.refused.get(target)] : []))
  const texts = [...new Set(refused.filter((text) => text !== undefined))]
  return texts.map((text): Step => ({ what: "rules", level: "trouble", text }))
}

/** What a cluster has under the name of a target; each member undefined: not known. */
interface HeldTarget {
  exists: boolean | undefined
  /** Null: no ConfigMap, or not this source's. */
  stamp: TargetFacts["stamp"]
  keys: number | undefined
}

async function heldTarget(
  target: string,
  { cluster, source }: { cluster: string; source: string },
  { fleet, ask }: Found,
): Promise<HeldTarget> {
  const [namespace = "", name = ""] = target.split("/")
  const answer = await ask(`cluster ${cluster}`, async (signal) =>
    (await fleet.reconciler.kube(cluster)).get(namespace, name, signal),
  )
  if (!answer.known) return { exists: undefined, stamp: undefined, keys: undefined }
  const configMap = answer.value
  const stamp = configMap && readStamp(configMap)
  if (stamp?.source !== source) return { exists: configMap !== undefined, stamp: null, keys: undefined }
  const keys = Object.keys({ ...configMap?.data, ...configMap?.binaryData }).length
  return { exists: true, stamp, keys }
}

/** Undefined: the target has nothing to do with this source and cluster. */
async function targetFacts(
  target: string,
  place: ClusterSourceFacts,
  found: Found,
): Promise<TargetFacts | undefined> {
  const { cluster, source } = place
  const plan = found.plans.get(laneKey(cluster, source))
  const planned = plan?.known ? plan.value.targets.get(target) : undefined
  const isRefused = plan?.known === true && plan.value.refused.has(target)
  const held = await heldTarget(target, place, found)
  const recorded = await shownFiles(target, place, found)
  const one = found.status.clusterSources.find((each) => each.cluster === cluster && each.source === source)
  const isKnown = planned !== undefined || isRefused || recorded !== undefined || held.stamp != null
  if (!isKnown && !one?.failed.some((each) => each.target === target)) return undefined
  return {
    cluster,
    source,
    isPlanned: planned !== undefined || isRefused,
    isView: planned?.view ?? true,
    files: recorded ?? held.keys ?? null,
    isShown: isShownEverywhere(place, target, found.facts.at),
    stamp: held.stamp,
    exists: held.exists,
  }
}
