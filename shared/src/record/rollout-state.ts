import { z } from "zod"
import { FULL_ID } from "../foundation/object-id.ts"
import { Token } from "./token.ts"

const commit = z.string().regex(FULL_ID)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
/** The commit of the rules, where they come from another source; otherwise null. */
const rulesCommit = commit.nullable()

/** One past the largest hash of a node (takes-candidate.ts): a candidate with this bound is for every node. */
export const ALL_NODES = 2 ** 32

/** What a cluster tries while a rollout is under way there. The baseline stays in the fields of the record itself. */
export const Candidate = z.strictObject({
  commit,
  rulesCommit,
  /** Digest of the rules and of the settings that affect their meaning. */
  rules: z.string(),
  /** Beyond the baseline's, so that a node which takes the candidate moves forward. */
  token: Token,
  /** Null where the cluster keeps no store: then the view alone shows it. */
  root: digest.nullable(),
  /** Digest of the policy and the clusters that it was begun under: another one ends the rollout by a return. */
  policy: z.string().regex(/^[0-9a-f]{16}$/),
  /** The place in the policy's stages of the one that this cluster is in. */
  stage: z.int().min(0),
  /** 0: nothing shows it yet, it is only in the store. See takes-candidate.ts. */
  bound: z.int().min(0).max(ALL_NODES),
  /** Labels of nodes, of this stage and the earlier ones; a node with all labels of one of them takes it. */
  selectors: z.array(z.record(z.string(), z.string())),
  /** The nodes that must show it for the stage to pass, and the digest of the store object that lists them; null: none. */
  expected: z.strictObject({ count: z.int().min(0), nodes: digest.nullable() }),
  /** ISO time at which this stage began here, by the API server's clock. */
  since: z.string(),
  /** ISO time at which the checks of this stage had passed here; null: they have not. */
  passed: z.string().nullable(),
  /** True once the named ConfigMaps show it. */
  view: z.boolean(),
  /** True: an operator has every stage pass here without its bake time. */
  hurried: z.boolean(),
  /** Clusters that the rollout goes on without, by an operator's word. At most 200 bytes together. */
  skipped: z.array(z.string()),
  /** The last operator who changed `hurried` or `skipped`, or had a rejected commit tried again, and why; null: none has. */
  word: z.strictObject({ by: z.string(), reason: z.string(), at: z.string() }).nullable(),
})
export type Candidate = z.infer<typeof Candidate>

/** True once a stage has begun: until then the candidate is only in the store. A stage for labelled nodes has no bound. */
export function isOpened({ bound, selectors }: Pick<Candidate, "bound" | "selectors">): boolean {
  return bound > 0 || selectors.length > 0
}

/** What was in force before a promotion, until every cluster has promoted: what a rejection returns to. */
export const PreviousRevision = z.strictObject({
  commit,
  rulesCommit,
  rules: z.string().nullable(),
  root: digest.nullable(),
  token: Token,
})
export type PreviousRevision = z.infer<typeof PreviousRevision>

/** The revision whose checks failed last in this cluster. Every cluster that reads it returns it. */
export const Rejection = z.strictObject({
  commit,
  rulesCommit,
  rules: z.string(),
  /** The seq of its token: a promoted revision beyond it ends the rejection. */
  seq: z.int().min(0),
  /** What failed, as an error code. */
  code: z.string(),
  /** One line for people: which check failed where. */
  reason: z.string(),
  /** ISO time. */
  at: z.string(),
})
export type Rejection = z.infer<typeof Rejection>
