import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { followConfigMaps } from "@headrace/shared/kube/light/follow"
import type { SourceRecord } from "@headrace/shared/record/record"
import { committedAt, readRecord } from "@headrace/shared/record/record-config-map"
import type { SourceName } from "../store/origin.ts"
import { followOptions, type WatchPorts } from "./watch-ports.ts"
import { RECORD_FEED } from "./watch-status.ts"

export interface RecordPlace {
  namespace: string
  name: string
  /** Which cluster it is in, where one agent may come to another; undefined: there is but one. */
  cluster?: string | undefined
}

/**
 * Gives each record as it is swapped, until the signal aborts: one watch on one name. What cannot be read (no
 * API server, no record, a newer format) is said in the status, and nothing else happens.
 */
export async function watchRecord(
  reader: ConfigMapReader,
  place: RecordPlace,
  ports: WatchPorts,
  onRecord: (record: SourceRecord, origin: SourceName, committedAt: number | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = place
  const selection = { fieldSelector: `metadata.name=${name}` }
  for await (const { objects } of followConfigMaps(
    reader,
    { ...followOptions(ports, RECORD_FEED), namespace, selection },
    signal,
  )) {
    const object = objects.get(`${namespace}/${name}`)
    const record = parse(object, place)
    if (object !== undefined && typeof record !== "string") {
      ports.status.record = undefined
      onRecord(record, recordOrigin(place, object), committedAt(object, record))
      continue
    }
    const reason = String(record)
    if (ports.status.record !== reason) ports.log.warn({ err: reason }, "no record to show; last good stays")
    ports.status.record = reason
  }
}

/** Which record this is: by its place, and by the object there, since one that is made again is another one. */
function recordOrigin({ namespace, name, cluster }: RecordPlace, object: ConfigMap | undefined): SourceName {
  const { uid, creationTimestamp } = object?.metadata ?? {}
  return {
    source: `record ${namespace}/${name}${cluster === undefined ? "" : ` in ${cluster}`}`,
    instance: uid && creationTimestamp ? { id: uid, created: creationTimestamp } : null,
  }
}

function parse(object: ConfigMap | undefined, { namespace, name }: RecordPlace): SourceRecord | string {
  if (object === undefined) return `there is no record ${namespace}/${name}`
  try {
    return readRecord(object)
  } catch (error) {
    return errorText(error)
  }
}
