import { z } from "zod"
import { LaneResult } from "../lanes/lane-outcome.ts"
import { ForeignWrite, Hold, Token } from "../record/record.ts"
import { RejectionStatus, RolloutStatus } from "./rollout-status.ts"

/**
 * A field that a version adds raises it; no field changes its meaning or goes. Each is written where nothing needs a later
 * one: format 2 adds `rollout`, `rejected` and `unhealthy`, format 3 adds `words`, format 4 adds `rollout.holdUp`, format 5
 * adds `failed[].next`.
 */
export const STATUS_FORMATS = { first: 1, rollouts: 2, words: 3, holdUp: 4, next: 5 } as const

const time = (what: string) => z.string().describe(`${what}, ISO 8601 in UTC.`)
const commit = (what: string) => z.string().nullable().describe(what)

/** How much something asks for attention. */
export const Level = z
  .enum(["trouble", "notice", "well"])
  .describe("`trouble` needs a person; `notice` is worth knowing; `well` is as it is meant to be.")
export type Level = z.infer<typeof Level>

/** One thing to know, in words, with what to do about it. */
export const Finding = z.strictObject({
  level: Level.exclude(["well"]),
  kind: z
    .enum([
      "unreachable",
      "git",
      "redis",
      "unreadable",
      "stopped",
      "failed",
      "absent",
      "behind",
      "late",
      "node",
      "silent",
      "nodes-unknown",
      "held",
      "rollout",
      "rejected",
      "working",
      "orphan",
      "foreign",
      "unverified",
      "word",
    ])
    .describe("What it is about. A reader ignores kinds that it does not know."),
  code: z.string().nullable().describe("The error's code, see errors.md; null: it is no error."),
  subject: z
    .string()
    .nullable()
    .describe(
      "The target (NAMESPACE/NAME), node, source or cluster that it is about, where it is about one.",
    ),
  text: z.string().describe("What is so, in a few words."),
  since: time("Since when").nullable(),
  detail: z.string().nullable().describe("Why, or which; it follows after a colon."),
  advice: z.string().nullable().describe("What to do or to expect, a sentence; null: see `command`."),
  command: z.string().nullable().describe("What to type; null: there is no command for it."),
})
export type Finding = z.infer<typeof Finding>

/** What the nodes of a cluster report of one record. */
export const NodeCount = z.strictObject({
  live: z.int().describe("Nodes on which every projection shows the record's own revision."),
  total: z.int().describe("Nodes that report."),
  behind: z
    .array(
      z.strictObject({
        node: z.string(),
        shows: commit("The commit that it still shows; null: nothing."),
        code: z.string().nullable().describe("Code of its problem."),
        problem: z.string().nullable().describe("Its own reason; null: it gives none."),
        since: time("Since when it has this problem, or shows this").nullable(),
      }),
    )
    .describe("Nodes that report and are not live."),
  silent: z
    .array(
      z.strictObject({
        node: z.string(),
        since: time("Its last report").nullable(),
        shows: commit("What it showed then."),
      }),
    )
    .describe(
      "Nodes whose report is too old to count: stopped, cut off, or gone for good. They are not live.",
    ),
  gone: z
    .int()
    .describe(
      "Nodes that were last heard of more than a week ago: gone for good, not named and not counted.",
    ),
  unhealthy: z
    .array(z.strictObject({ node: z.string(), problem: z.string(), since: time("Since when") }))
    .optional()
    .describe("Nodes where a check of what they show fails; absent: none. They can be live."),
})
export type NodeCount = z.infer<typeof NodeCount>

export const FailedTargetStatus = z.strictObject({
  target: z.string().describe("NAMESPACE/NAME. It holds its last good content."),
  reason: z.string(),
  since: time("Since when it has failed"),
  retry: z
    .enum(["soon", "rarely", "never"])
    .describe("When a plugin tries it again: within a minute, every five minutes, or with the next commit."),
  next: z
    .string()
    .optional()
    .describe(
      "When its lane tries it next, ISO 8601 in UTC; past while its turn has come. Absent: not known, or not without a commit.",
    ),
  remedy: z.string().nullable().describe("What to do; null where the reason has no known code."),
})
export type FailedTargetStatus = z.infer<typeof FailedTargetStatus>

export const ClusterSourceState = z
  .enum(["unreachable", "stopped", "absent", "behind", "working", "held", "unknown", "current"])
  .describe(
    "`unreachable`: the record cannot be read. `stopped`: it waits for a person or a better commit. `absent`: there is no record. `behind`: the branch has more. `working`: a change is being written. `held`: an operator's word keeps it. `unknown`: git was not asked. `current`: it shows the tip.",
  )
export type ClusterSourceState = z.infer<typeof ClusterSourceState>

/** What an operator said on a machine without the signing key. */
export const WordStatus = z.strictObject({
  name: z.string().describe("The ConfigMap in `signing.words` that has it."),
  says: z.string().nullable().describe("The command that said it; null: it does not read."),
  by: z.string().nullable().describe("Who said it."),
  reason: z.string().nullable(),
  since: time("When it was said"),
  error: z
    .strictObject({ code: z.string(), message: z.string() })
    .nullable()
    .describe("Why it was not obeyed; null: it waits."),
})
export type WordStatus = z.infer<typeof WordStatus>

/** One source in one cluster, judged. */
export const ClusterSourceStatus = z.strictObject({
  cluster: z.string(),
  source: z.string(),
  state: ClusterSourceState,
  level: Level,
  commit: commit("The commit that the record shows."),
  token: Token.nullable().describe("The record's token: what orders commits."),
  tip: commit("The commit at the tip of the branch; null: not known."),
  behind: z
    .int()
    .nullable()
    .describe(
      "How many commits of the branch it does not show; null: not known, or the branch was rewritten.",
    ),
  lag: z
    .number()
    .nullable()
    .describe("Seconds since the tip was committed, while it is not shown; null: it is shown, or not known."),
  hold: Hold.nullable().describe("The operator's word that keeps it at a commit."),
  stopped: z
    .strictObject({ code: z.string(), message: z.string(), commit: z.string(), since: z.string().optional() })
    .nullable()
    .describe("Why the source is stopped, and at which commit."),
  intents: z
    .array(z.strictObject({ commit: z.string(), targets: z.union([z.int(), z.literal("all")]) }))
    .describe("Commits that are being written, or that a worker which died has begun."),
  failed: z.array(FailedTargetStatus).describe("Targets that could not be written, worst first."),
  failedMore: z.int().describe("How many more failed that cannot be listed."),
  orphans: z
    .array(z.string())
    .nullable()
    .describe(
      "NAMESPACE/NAME of ConfigMaps that the source wrote and no rule names any more; null: not known.",
    ),
  orphansUnknown: z.string().nullable().describe("Why they are not known."),
  foreign: z
    .array(ForeignWrite)
    .describe("The latest writes of other programs to our targets, repaired, newest first."),
  nodes: NodeCount.nullable().describe("Null: they may not be listed, or are not known."),
  store: z
    .strictObject({ targets: z.int(), files: z.int(), bytes: z.int() })
    .nullable()
    .describe("Size of what agents can read; null: no store, or not known."),
  lane: z
    .strictObject({ lastSuccess: time("When it last reached its goal").nullable(), late: z.boolean() })
    .nullable()
    .describe("Null: Redis is not known, or does not answer."),
  lastOutcome: z
    .strictObject({
      at: time("When the last run ended"),
      result: LaneResult.shape.result,
      error: LaneResult.shape.error,
    })
    .nullable()
    .describe("What the last run of its lane came to; null: not known."),
  rollout: RolloutStatus.optional().describe("The rollout under way; absent: there is none."),
  rejected: RejectionStatus.optional().describe(
    "The revision that a rollout returned from last; absent: there is none.",
  ),
  words: z
    .array(WordStatus)
    .optional()
    .describe(
      "Operators' words that no program with the key has obeyed, oldest first; absent: there is none.",
    ),
  findings: z.array(Finding).describe("What to know about it, worst first."),
})
export type ClusterSourceStatus = z.infer<typeof ClusterSourceStatus>

/** Everything, judged: what `status -o json` prints, and what text, page, explanations and metrics are made of. */
export const FleetStatus = z.strictObject({
  format: z.literal(Object.values(STATUS_FORMATS)),
  at: time("When it was asked"),
  level: Level.describe("The worst of all."),
  findings: z.array(Finding).describe("What concerns no single cluster: git and Redis."),
  clusterSources: z.array(ClusterSourceStatus).describe("Each source in each cluster, worst first."),
})
export type FleetStatus = z.infer<typeof FleetStatus>
