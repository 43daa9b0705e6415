import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { recordJson } from "./fit-record.ts"
import { RECORD_FORMAT, type SourceRecord } from "./record.ts"
import { formatOf, parseRecord } from "./record-format.ts"

const DATA_KEY = "record.json"

/** Label selector of all records in Headrace's namespace. */
export const RECORD_SELECTOR = "app.kubernetes.io/name=headrace,app.kubernetes.io/component=record"

/** True for the ConfigMap of a record, by its content too: people take labels off. */
export function isRecordConfigMap({ metadata, data }: ConfigMap): boolean {
  return metadata.labels?.["app.kubernetes.io/component"] === "record" || data?.[DATA_KEY] !== undefined
}

/** The ConfigMap of a record, named after its source; without a resourceVersion. Cut to its size limit. */
export function recordConfigMap(namespace: string, record: SourceRecord): ConfigMap {
  return {
    metadata: {
      name: record.source,
      namespace,
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "record" },
      annotations: { "headrace.dev/format": String(formatOf(record)) },
    },
    data: { [DATA_KEY]: recordJson(record) },
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

function parse(configMap: ConfigMap, place: string): unknown {
  const text = configMap.data?.[DATA_KEY]
  if (text === undefined) throw invalid(place, `it has no key ${DATA_KEY}`)
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
