import { z } from "zod"
import { FULL_ID } from "../foundation/object-id.ts"
import { Candidate, PreviousRevision, Rejection } from "./rollout-state.ts"
import { Token } from "./token.ts"

/**
 * The largest format that this version writes, and reads with its predecessors'. A record that needs nothing of it is
 * written in a lower one (record-format.ts): so programs of the version before read what is at rest.
 */
export const RECORD_FORMAT = 3

const commit = z.string().regex(FULL_ID)
const digest = z.string().regex(/^[0-9a-f]{64}$/)

export { Token } from "./token.ts"

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
  /** The rules' own commit, where they come from another source; otherwise null. */
  rulesCommit: commit.nullable(),
  /** Digest of rules and settings that it was judged under; absent: not judged, or by a version that kept none. */
  rules: z.string().optional(),
  /** `namespace/name` of each, or "all" when they would not fit the record. */
  targets: z.union([z.literal("all"), z.array(z.string())]),
})
export type Intent = z.infer<typeof Intent>

/** First in the reason of a target that carries a larger token, where no cut of the text takes it away. */
const AHEAD_CODE = "reconcile/ahead"

/** The reason of a target with `ahead`. */
export const AHEAD_REASON = `${AHEAD_CODE}: it carries a larger token than any that the record knows; the next look takes a larger one`

/** First in the reason of a target that could not be read when it had to be judged; never cut away, as above. */
const UNREAD_CODE = "reconcile/unread"

/** The reason of a target with `unread`: what it holds is not known, and no plan says it. */
export function unreadReason(why: string): string {
  return `${UNREAD_CODE}: ${why}`
}

/** First in the reason of a target with `closed`; never cut away, as above. */
const CLOSED_CODE = "plan/namespace-closed"

/** The reason of a target that is not created in a namespace which the settings do not open; `line` opens it. */
export function closedReason(line: string): string {
  return `${CLOSED_CODE}: nothing new is created in this namespace; to open it, add to the cluster's settings: ${line}`
}

/** First in the reason of a target with `tooLarge`; never cut away, as above. */
const TOO_LARGE_CODE = "reconcile/change-too-large"

/** The reason of a target that has more new content than a reconcile may write. */
export function tooLargeReason(why: string): string {
  return `${TOO_LARGE_CODE}: ${why}`
}

/** A target that could not be written and holds its last good content. */
export interface FailedTarget {
  /** `namespace/name`. */
  target: string
  reason: string
  /** ISO time of the first failure. */
  since: string
  /** True: the target carries a larger token than any that the record knows. */
  ahead?: true
  /** True: it could not be read, so it holds what it held before the revision that the record shows. */
  unread?: true
  /** True: it does not exist, and its namespace is closed to new ConfigMaps. */
  closed?: true
  /** True: it has more new content than `bounds.change` lets a reconcile write, so it holds what it held before. */
  tooLarge?: true
}

/** The stored form has no field that is optional here: the code at the start of `reason` says it, so format 1 needs no field more. */
const StoredFailedTarget = z
  .strictObject({ target: z.string(), reason: z.string(), since: z.string() })
  .transform(readFailedTarget)

/** A failed target as it is stored, with what its reason says. */
export function readFailedTarget(stored: Pick<FailedTarget, "target" | "reason" | "since">): FailedTarget {
  if (stored.reason.startsWith(AHEAD_CODE)) return { ...stored, ahead: true }
  if (stored.reason.startsWith(CLOSED_CODE)) return { ...stored, closed: true }
  if (stored.reason.startsWith(TOO_LARGE_CODE)) return { ...stored, tooLarge: true }
  return stored.reason.startsWith(UNREAD_CODE) ? { ...stored, unread: true } : stored
}

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

/** One commit under one set of rules: what an operator approves, and what a guard stopped. */
export const JudgedRevision = z.strictObject({
  commit,
  /** The commit of the rules, where they come from another source; otherwise null. */
  rulesCommit: commit.nullable(),
  /** Digest of the rules and of the settings that affect their meaning; null: an earlier version did not say. */
  rules: z.string().nullable(),
})
export type JudgedRevision = z.infer<typeof JudgedRevision>

/** What an operator has approved, and what that lifts; absent: the guard alone, as formats 1 and 2 have it. */
const Approval = JudgedRevision.extend({
  lifts: z
    .array(z.enum(["guard", "gate", "unverified"]))
    .min(1)
    .optional(),
})

/** What a change that came into force has deleted (gates/guard/past-deletions.ts). */
const Deletions = z.strictObject({ at: z.int(), keys: z.int().min(0), configMaps: z.int().min(0) })

/** Whose settings a cluster follows. */
export const RecordSettings = z.strictObject({
  /** The operator's `settingsVersion`. */
  version: z.int().min(0),
  /** Digest of the settings that affect what is written. */
  digest: z.string(),
  /** Digest of other settings of the same version: while there are two, neither is written. Null: none were seen. */
  rival: z.string().nullable(),
})
export type RecordSettings = z.infer<typeof RecordSettings>

const stoppedFields = { code: z.string(), message: z.string(), commit }

const commonFields = {
  source: z.string(),
  token: Token,
  /** Null before the first reconcile has ended. */
  commit: commit.nullable(),
  /** The commit of the rules in force, where they come from another source; otherwise null. */
  rulesCommit: commit.nullable(),
  /** Digest of the rules in force at `commit`, and of the settings that affect their meaning. */
  rules: z.string().nullable(),
  /** Digest of the root index; null where the cluster keeps no store. */
  root: digest.nullable(),
  hold: Hold.nullable(),
  failed: z.array(StoredFailedTarget),
  /** How many failed targets did not fit `failed`. */
  failedMore: z.int().min(0),
  /** The latest writes of others to our targets, newest first. */
  foreign: z.array(ForeignWrite).prefault([]),
  /** Roots of earlier revisions whose shards the store still keeps, newest first. */
  history: z.array(z.strictObject({ commit, token: Token, root: digest })),
}

const fieldsSince2 = {
  ...commonFields,
  /** What an operator has approved; null: nothing that waits to be applied. */
  approved: JudgedRevision.nullable(),
  intents: z.array(Intent),
  /** Why the source is stopped (rules that do not parse, a guard that tripped, a diverged branch); null: it does not. */
  stopped: z
    .strictObject({
      ...stoppedFields,
      /**
       * Of a guard: what it judged, and the ISO time since which it has stopped the source. Of another reason: the guard's
       * that it follows, whose time still counts.
       */
      judged: JudgedRevision.omit({ commit: true }).extend({ since: z.string() }).optional(),
    })
    .nullable(),
  /** What was deleted in the last hours, newest first: deletions count together (gates/guard/judge-change.ts). */
  deletions: z.array(Deletions),
  /** Digest of the store object that lists every failed target, with what it holds; null: `failed` lists them. */
  failures: digest.nullable(),
  /** Null: the settings give no version. */
  settings: RecordSettings.nullable(),
}

/** What a cluster shows of a source: one ConfigMap under 4 KiB, whose swap is the commit of a reconcile. */
export const SourceRecord = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  ...fieldsSince2,
  approved: Approval.nullable(),
  /** What is being tried; null: no rollout is under way here. */
  candidate: Candidate.nullable(),
  /** Null: every cluster has promoted, or nothing was. */
  previous: PreviousRevision.nullable(),
  /** Null: no revision failed here, or an operator has lifted it. Counts in every cluster. */
  rejected: Rejection.nullable(),
})
export type SourceRecord = z.infer<typeof SourceRecord>

/** The same as format 2 had it. */
export const SourceRecordV2 = z.strictObject({ format: z.literal(2), ...fieldsSince2 })

/** The same as format 1 had it. */
export const SourceRecordV1 = z.strictObject({
  format: z.literal(1),
  ...commonFields,
  approved: commit.nullable(),
  intents: z.array(Intent.omit({ rules: true })),
  stopped: z.strictObject(stoppedFields).nullable(),
})

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
    deletions: [],
    failures: null,
    settings: null,
    candidate: null,
    previous: null,
    rejected: null,
  }
}
