import { z } from "zod"
import { FULL_ID } from "../foundation/object-id.ts"

/** The format that this version writes; it reads this one and its predecessor's. */
export const RECORD_FORMAT = 1

const commit = z.string().regex(FULL_ID)
const digest = z.string().regex(/^[0-9a-f]{64}$/)

/** Orders writers: (epoch, seq), seq being the count of all ancestors; only an operator raises the epoch. */
export const Token = z.strictObject({ epoch: z.int().min(0), seq: z.int().min(0) })
export type Token = z.infer<typeof Token>

/** An operator's word that a cluster stays at a commit. */
export const Hold = z.strictObject({
  commit,
  /** The commit that rules from another source stay at meanwhile; null: they are in the source itself, or were not known. */
  rulesCommit: commit.nullable().prefault(null),
  by: z.string(),
  reason: z.string(),
  /** ISO time after which it no longer holds; null: until `release`. */
  until: z.string().nullable(),
})
export type Hold = z.infer<typeof Hold>

/** Written before the first write of a reconcile, cleared by the swap: what may be half done. */
export const Intent = z.strictObject({
  token: Token,
  commit,
  /** The rules' own commit, where they come from another source; else null. */
  rulesCommit: commit.nullable(),
  /** `namespace/name` of each, or "all" when they would not fit the record. */
  targets: z.union([z.literal("all"), z.array(z.string())]),
})
export type Intent = z.infer<typeof Intent>

/** First in the reason of a target that carries a larger token, where no cut of the text takes it away. */
const AHEAD_CODE = "reconcile/ahead"

/** The reason of a target with `ahead`. */
export const AHEAD_REASON = `${AHEAD_CODE}: it carries a larger token than any that the record knows; the next look takes a larger one`

/** A target that could not be written and holds its last good content. */
export interface FailedTarget {
  /** `namespace/name`. */
  target: string
  reason: string
  /** ISO time of the first failure. */
  since: string
  /** True: the target carries a larger token than any that the record knows. */
  ahead?: true
}

/** The stored form has no `ahead`: the code at the start of `reason` says it, so format 1 needs no field more. */
const StoredFailedTarget = z
  .strictObject({ target: z.string(), reason: z.string(), since: z.string() })
  .transform(
    (stored): FailedTarget => (stored.reason.startsWith(AHEAD_CODE) ? { ...stored, ahead: true } : stored),
  )

/** Another program's write to a target of ours, found and repaired. */
export const ForeignWrite = z.strictObject({
  /** `namespace/name`. */
  target: z.string(),
  /** As the API server calls it: `hook` is Prow's. */
  writer: z.string(),
  /** ISO time when it was found. */
  at: z.string(),
})
export type ForeignWrite = z.infer<typeof ForeignWrite>

/** What a cluster shows of a source: one ConfigMap under 4 KiB, whose swap is the commit of a reconcile. */
export const SourceRecord = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  source: z.string(),
  token: Token,
  /** Null before the first reconcile has ended. */
  commit: commit.nullable(),
  /** The commit of the rules in force, where they come from another source; else null. */
  rulesCommit: commit.nullable(),
  /** Digest of the rules in force at `commit`, and of the settings that affect their meaning. */
  rules: z.string().nullable(),
  /** Digest of the root index; null where the cluster keeps no store. */
  root: digest.nullable(),
  hold: Hold.nullable(),
  /** The commit whose deletions an operator has approved; null: none is waiting to be applied. */
  approved: commit.nullable(),
  intents: z.array(Intent),
  failed: z.array(StoredFailedTarget),
  /** How many failed targets did not fit `failed`. */
  failedMore: z.int().min(0),
  /** The latest writes of others to our targets, newest first. */
  foreign: z.array(ForeignWrite).prefault([]),
  /** Why the source is stopped (rules that do not parse, a guard that tripped, a diverged branch); null: it does not. */
  stopped: z.strictObject({ code: z.string(), message: z.string(), commit }).nullable(),
  /** Roots of earlier revisions whose shards the store still keeps, newest first. */
  history: z.array(z.strictObject({ commit, token: Token, root: digest })),
})
export type SourceRecord = z.infer<typeof SourceRecord>

/** The record of a source that a cluster shows nothing of yet. `token` is what no writer may go below. */
export function newRecord(source: string, token: Token): SourceRecord {
  return {
    format: RECORD_FORMAT,
    source,
    token,
    commit: null,
    rulesCommit: null,
    rules: null,
    root: null,
    hold: null,
    approved: null,
    intents: [],
    failed: [],
    failedMore: 0,
    foreign: [],
    stopped: null,
    history: [],
  }
}
