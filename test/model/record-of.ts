import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"

const READ = new WeakMap<ConfigMap, SourceRecord>()

/** The record in a ConfigMap, read once: the embedded API server gives the same object until it is written. */
export function recordOf(configMap: ConfigMap): SourceRecord {
  const record = READ.get(configMap) ?? readRecord(configMap)
  READ.set(configMap, record)
  return record
}
