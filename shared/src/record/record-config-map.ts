import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { type ApprovalWord, approvalAnnotation } from "./approval-word.ts"
import { recordJson } from "./fit-record.ts"
import { type NewObjects, newObjectsAnnotation } from "./new-objects.ts"
import { RECORD_FORMAT, type SourceRecord } from "./record.ts"
import { formatOf, parseRecord } from "./record-format.ts"
import { type Verification, verificationAnnotation } from "./verification.ts"

/** The key of its data that holds the record. */
export const RECORD_KEY = "record.json"
/** COMMIT TIME: when the commit that a record shows was made. It names the commit, since writers of an earlier version keep it as it is. */
const COMMITTED_ANNOTATION = "headrace.dev/committed"

/** Label selector of all records in Headrace's namespace. */
export const RECORD_SELECTOR = "app.kubernetes.io/name=headrace,app.kubernetes.io/component=record"

/** True for the ConfigMap of a record, by its content too: people take labels off. */
export function isRecordConfigMap({ metadata, data }: ConfigMap): boolean {
  return metadata.labels?.["app.kubernetes.io/component"] === "record" || data?.[RECORD_KEY] !== undefined
}

/** What is noted beside a record, for people and metrics: nothing is decided by it. */
export interface RecordNotes {
  /** The committer's time of its commit, in milliseconds since the epoch. */
  committedAt?: number | undefined
  /** What was found of the signatures of what it shows. */
  verification?: Verification | undefined
  /** The operator who approves something by this change. */
  approval?: ApprovalWord | undefined
  /** What it, or its candidate, added to the store. */
  added?: NewObjects | undefined
}

/** The ConfigMap of a record, named after its source; without a resourceVersion. Cut to its size limit. */
export function recordConfigMap(
  namespace: string,
  record: SourceRecord,
  { committedAt, verification, approval, added }: RecordNotes = {},
): ConfigMap {
  const committed =
    committedAt === undefined ? {} : { [COMMITTED_ANNOTATION]: committedText(record, committedAt) }
  return {
    metadata: {
      name: record.source,
      namespace,
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "record" },
      annotations: {
        "headrace.dev/format": String(formatOf(record)),
        ...committed,
        ...(verification && verificationAnnotation(verification)),
        ...(approval && approvalAnnotation(approval)),
        ...(added && newObjectsAnnotation(added)),
      },
    },
    data: { [RECORD_KEY]: recordJson(record) },
  }
}

/**
 * Reads the record out of its ConfigMap.
 *
 * Throws `record/newer-format` when a newer Headrace wrote it (stop, with last good in force), and
 * `record/invalid` when it is no record.
 */
export function readRecord(configMap: ConfigMap): SourceRecord {
  const { namespace, name } = configMap.metadata
  const value = parse(configMap, `${namespace}/${name}`)
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === "number" && format > RECORD_FORMAT) {
    throw new HeadraceError(
      "record/newer-format",
      `record ${namespace}/${name} has format ${format}; this version reads up to ${RECORD_FORMAT}`,
      { hint: "Upgrade this program; until then nothing is changed.", fields: { namespace, name, format } },
    )
  }
  const parsed = parseRecord(value)
  if (parsed.success) return parsed.data
  throw invalid(`${namespace}/${name}`, parsed.error.issues[0]?.message ?? "unreadable", parsed.error)
}

function committedText({ commit }: SourceRecord, at: number): string {
  return `${commit} ${new Date(at).toISOString()}`
}

/** When the commit of a record was made, in milliseconds since the epoch; undefined where its ConfigMap does not say. */
export function committedAt({ metadata }: ConfigMap, { commit }: SourceRecord): number | undefined {
  const [of, time = ""] = (metadata.annotations?.[COMMITTED_ANNOTATION] ?? "").split(" ")
  const at = Date.parse(time)
  return commit === null || of !== commit || Number.isNaN(at) ? undefined : at
}

function parse(configMap: ConfigMap, place: string): unknown {
  const text = configMap.data?.[RECORD_KEY]
  if (text === undefined) throw invalid(place, `it has no key ${RECORD_KEY}`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(place, "it is not JSON", error)
  }
}

function invalid(place: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError("record/invalid", `ConfigMap ${place} is not a record: ${why}`, {
    hint: "Delete it to have it rebuilt from its targets.",
    cause,
  })
}
