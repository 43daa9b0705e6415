import { z } from "zod"
import type { Lease } from "../kube/lease-api.ts"
import type { NodeReport } from "../record/node-report.ts"
import type { SourceRecord } from "../record/record.ts"
import { isSilent, readReport } from "../record/report-of-lease.ts"
import { reachText } from "../record/rollout-events.ts"
import { type Candidate, isOpened } from "../record/rollout-state.ts"
import { takesCandidate } from "../record/takes-candidate.ts"
import { compareTokens } from "../record/token.ts"

const time = (what: string) => z.string().describe(`${what}, ISO 8601 in UTC.`)

/** A rollout under way in one cluster. */
export const RolloutStatus = z.strictObject({
  commit: z.string().describe("The commit that is tried; the record's own stays in force meanwhile."),
  stage: z.int().describe("The stage that this cluster is in, from 1."),
  stages: z.int().nullable().describe("How many the settings have; null: these settings have no rollout."),
  reach: z.string().describe("Which nodes take it, in words: `5 % of the nodes`."),
  since: time("Since when this stage is open"),
  left: z
    .number()
    .nullable()
    .describe("Seconds of its bake time that are left at least; null: not known, or its checks have passed."),
  expected: z.int().describe("How many nodes the stage rests on."),
  healthy: z.int().describe("How many nodes show it and have no check that fails or is still to answer."),
  waitsFor: z
    .array(z.strictObject({ node: z.string(), why: z.string() }))
    .describe("Nodes that hold it up, and why."),
  keepsBaseline: z
    .array(z.strictObject({ node: z.string(), why: z.string() }))
    .describe("Nodes that take no candidate, and why: they change with the promotion."),
  holdUp: z
    .array(z.string())
    .optional()
    .describe(
      "What the plugin's last look waits for, a sentence each: nodes, clusters, `http` and `prometheus` checks; absent: nothing, or Redis is not known.",
    ),
  skipped: z.array(z.string()).describe("Clusters that it continues without, by an operator's word."),
  word: z
    .strictObject({ by: z.string(), reason: z.string(), at: z.string() })
    .nullable()
    .describe("The last operator who hurried it or had it continue without a cluster."),
})
export type RolloutStatus = z.infer<typeof RolloutStatus>

/** The revision that a rollout has returned from last. */
export const RejectionStatus = z.strictObject({
  commit: z.string(),
  code: z.string(),
  reason: z.string().describe("Which check failed, and where."),
  at: time("When"),
})
export type RejectionStatus = z.infer<typeof RejectionStatus>

/** What of a policy shows how long a stage takes. */
export interface RolloutPace {
  /** `bake` in milliseconds. */
  stages: readonly { bake: number }[]
}

/** Judges the rollout of a record by what nodes report of its very candidate; undefined: none is under way. Pure. */
export function rolloutStatus(
  { source, candidate }: SourceRecord,
  { recordName, leases, pace, expected, now, holdUp = [] }: RolloutFacts,
): RolloutStatus | undefined {
  if (candidate === null) return undefined
  const reported = leases.flatMap((lease) => judgeNode(lease, { source, candidate, recordName, now }))
  const nodes = expected === undefined ? reported : countedNodes(reported, expected)
  return {
    commit: candidate.commit,
    stage: candidate.stage + 1,
    stages: pace?.stages.length ?? null,
    reach: reachText(candidate),
    since: candidate.since,
    left: leftOf(candidate, pace, now),
    expected: candidate.expected.count,
    healthy: nodes.filter(({ state }) => state === "healthy").length,
    waitsFor: nodes.flatMap(({ node, state, why }) => (state === "waits" ? [{ node, why }] : [])),
    keepsBaseline: nodes.flatMap(({ node, state, why }) => (state === "keeps" ? [{ node, why }] : [])),
    ...(holdUp.length > 0 && { holdUp: [...holdUp] }),
    skipped: candidate.skipped,
    word: candidate.word,
  }
}

export interface RolloutFacts {
  recordName: string
  leases: readonly Lease[]
  /** The nodes that the stage rests on; undefined: not known, so all that take the candidate count. */
  expected?: readonly string[] | undefined
  /** Undefined: the settings have no rollout for the source. */
  pace: RolloutPace | undefined
  /** What the plugin's last look waits for; absent: nothing, or it is not known. */
  holdUp?: readonly string[]
  /** Milliseconds since the epoch. */
  now: number
}

/** A node that is gone holds a stage up as one that is silent does; one that failed before the stage began does not. */
function countedNodes(reported: readonly JudgedNode[], expected: readonly string[]): JudgedNode[] {
  const byNode = new Map(reported.map((each) => [each.node, each]))
  const gone = { state: "waits", why: "it is gone" } as const
  const kept = reported.filter(({ node, state }) => state === "keeps" && !expected.includes(node))
  return [...expected.map((node) => byNode.get(node) ?? { node, ...gone }), ...kept]
}

/** Time counts only while a writer watches the stage, so more can be left than this. */
function leftOf(candidate: Candidate, pace: RolloutPace | undefined, now: number) {
  const { passed, since, stage } = candidate
  const bake = pace?.stages[stage]?.bake
  if (bake === undefined || passed !== null || !isOpened(candidate)) return null
  return Math.max(0, (Date.parse(since) + bake - now) / 1000)
}

interface JudgedNode {
  node: string
  state: "healthy" | "waits" | "keeps"
  why: string
}

type Trial = Pick<RolloutFacts, "recordName" | "now"> & { source: string; candidate: Candidate }

/** None where a node does not follow the record, or is not of this stage. */
function judgeNode(lease: Lease, { source, candidate, recordName, now }: Trial): JudgedNode[] {
  const report = readReport(lease)
  if (report === undefined || report.record !== recordName) return []
  const { node, rollout } = report
  if (rollout === null) return []
  if (rollout.keepsBaseline !== null) return [{ node, state: "keeps", why: rollout.keepsBaseline }]
  if (!takesCandidate({ source, node, labels: rollout.labels }, candidate)) return []
  const why = isSilent(lease, now) ? "it does not report any more" : troubleOf(report, rollout, candidate)
  return [why === undefined ? { node, state: "healthy", why: "" } : { node, state: "waits", why }]
}

/** Why a node holds a stage up; undefined: it shows exactly the candidate, and is healthy with it. */
function troubleOf(
  { projections }: NodeReport,
  { shown, checks, failed }: NonNullable<NodeReport["rollout"]>,
  { token, root }: Candidate,
): string | undefined {
  const isOf = (of: { token: Candidate["token"]; root: string } | null) =>
    of !== null && of.root === root && compareTokens(of.token, token) === 0
  if (failed !== null && isOf(failed)) return `${failed.projection}: ${failed.message}`
  const problem = projections.find((each) => each.problem !== null)?.problem
  if (!isOf(shown)) return problem?.message ?? "it does not show it yet"
  if (checks === "failing") return problem?.message ?? "its checks fail"
  return checks === "pending" ? "its checks have not passed yet" : undefined
}
