import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { followConfigMaps } from "@headrace/shared/kube/light/follow"
import { type NewObjects, newObjectsOf } from "@headrace/shared/record/new-objects"
import type { SourceRecord } from "@headrace/shared/record/record"
import { committedAt, readRecord } from "@headrace/shared/record/record-config-map"
import type { TrustSettings } from "@headrace/shared/settings/trust"
import { readTrustedKeys } from "@headrace/shared/trust/read-trust"
import { type RecordSignature, verifyRecord } from "@headrace/shared/trust/record-signature"
import type { SourceName } from "../store/origin.ts"
import { followOptions, type WatchPorts } from "./watch-ports.ts"
import { RECORD_FEED } from "./watch-status.ts"

export interface RecordPlace {
  namespace: string
  name: string
  /** Which cluster it is in, where one agent may come to another; undefined: there is but one. */
  cluster?: string | undefined
  /** Whose records are believed; undefined: any. */
  trust?: Pick<TrustSettings, "keys" | "clusters"> | undefined
}

/** A record that was read, and believed where the settings ask for that. */
export interface FoundRecord {
  record: SourceRecord
  origin: SourceName
  uid: string | undefined
  committedAt: number | undefined
  /** What its newest small revision has added to the store. */
  added: NewObjects | undefined
  /** Undefined: records need not be signed. */
  signature: RecordSignature | undefined
}

/** Key files may be what was wrong, and no event comes when they change. */
const LOOK_AGAIN_MS = 10_000

/**
 * Gives each record as it is swapped, until the signal aborts: one watch on one name. What cannot be read (no
 * API server, no record, a newer format) or is not to be believed is said in the status, and nothing else happens.
 */
export async function watchRecord(
  reader: ConfigMapReader,
  place: RecordPlace,
  ports: WatchPorts,
  onRecord: (found: FoundRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = place
  const selection = { fieldSelector: `metadata.name=${name}` }
  let latest: ConfigMap | undefined

  async function take(object: ConfigMap | undefined): Promise<void> {
    latest = object
    if (object === undefined) return refuse(`there is no record ${namespace}/${name}`)
    try {
      const found = await believe(object, place, ports.clock.now())
      if (latest !== object) return
      ports.status.record = undefined
      onRecord(found)
    } catch (error) {
      if (latest !== object) return
      refuse(errorText(error))
      if (hasCode(error, "trust/")) lookAgain(object)
    }
  }

  function refuse(reason: string): void {
    if (ports.status.record !== reason) ports.log.warn({ err: reason }, "no record to show; last good stays")
    ports.status.record = reason
  }

  function lookAgain(object: ConfigMap): void {
    const again = ports.clock.sleep(LOOK_AGAIN_MS, signal).then(() => {
      return latest === object ? take(object) : undefined
    })
    again.catch(() => undefined)
  }

  for await (const { objects } of followConfigMaps(
    reader,
    { ...followOptions(ports, RECORD_FEED), namespace, selection },
    signal,
  )) {
    await take(objects.get(`${namespace}/${name}`))
  }
}

/** Reads a record and verifies its signature, where the settings ask for one. Throws `trust/…`, `record/…`. */
export async function believe(object: ConfigMap, place: RecordPlace, now: number): Promise<FoundRecord> {
  const { trust } = place
  const signature =
    trust && verifyRecord(object, { keys: await readTrustedKeys(trust.keys), clusters: trust.clusters }, now)
  const record = readRecord(object)
  const origin = recordOrigin(place, object)
  const { uid } = object.metadata
  const notes = { committedAt: committedAt(object, record), added: newObjectsOf(object) }
  return { record, origin, uid, ...notes, signature }
}

/**
 * Which record this is: by its place, and by the object there, since one that is made again is another one. A signature
 * is of the place alone, so that an earlier record which somebody puts into a new object goes below the same floor.
 */
function recordOrigin({ namespace, name, cluster, trust }: RecordPlace, object: ConfigMap): SourceName {
  const { uid, creationTimestamp } = trust === undefined ? object.metadata : {}
  return {
    source: `record ${namespace}/${name}${cluster === undefined ? "" : ` in ${cluster}`}`,
    instance: uid && creationTimestamp ? { id: uid, created: creationTimestamp } : null,
  }
}
