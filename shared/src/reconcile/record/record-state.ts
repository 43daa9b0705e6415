import type { ConfigMap } from "../../foundation/config-map.ts"
import { hasCode } from "../../foundation/errors.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { isTransient } from "../../kube/kube-error.ts"
import type { Record } from "../../record/record.ts"
import { readRecord, recordConfigMap } from "../../record/record-config-map.ts"
import { startPatience } from "../run/patience.ts"
import type { Run } from "../run/run.ts"

/** A record as it was read, with the resourceVersion that a swap must name. */
export interface RecordState {
  record: Record
  configMap: ConfigMap
}

/** Undefined when the cluster has no record of the source. Throws `record/newer-format`, `record/invalid`, `kube/…`. */
export async function loadRecord(
  kube: ConfigMapWriter,
  namespace: string,
  source: string,
  signal?: AbortSignal,
): Promise<RecordState | undefined> {
  const configMap = await kube.get(namespace, source, signal)
  return configMap && { record: readRecord(configMap), configMap }
}

/** The record as it is now; waits out what may pass by itself. */
export async function loadState(run: Run): Promise<RecordState | undefined> {
  const { ports, signal, request } = run
  const patience = startPatience(ports.clock, signal)
  for (;;) {
    try {
      return await loadRecord(ports.kube, ports.settings.namespace, request.source, signal)
    } catch (error) {
      await patience.afterFailure(error)
    }
  }
}

/**
 * Compare-and-swap: writes `next` if the record is still what `base` says (undefined: still absent).
 * Gives the new state, or undefined when it may not be what was written: moved on, gone, or an answer that
 * never came, after which the write may or may not have had its effect. Read it again then. Throws `kube/…`
 * for anything else, `kube/not-found` where Headrace's namespace is missing.
 */
export async function swapRecord(
  kube: ConfigMapWriter,
  namespace: string,
  base: RecordState | undefined,
  next: Record,
  signal?: AbortSignal,
): Promise<RecordState | undefined> {
  const fresh = recordConfigMap(namespace, next)
  try {
    const configMap = base
      ? await kube.replace(over(base.configMap, fresh), signal)
      : await kube.create(fresh, signal)
    return { record: readRecord(configMap), configMap }
  } catch (error) {
    const isWithoutNamespace = base === undefined && hasCode(error, "kube/not-found")
    if (!isWithoutNamespace && (isLostRace(error) || isTransient(error))) return undefined
    throw error
  }
}

/** True when another writer was first, or removed what was to be replaced: read again. */
export function isLostRace(error: unknown): boolean {
  return ["kube/conflict", "kube/already-exists", "kube/not-found"].some((code) => hasCode(error, code))
}

/** Labels and annotations that others have put on the record stay. */
function over(existing: ConfigMap, fresh: ConfigMap): ConfigMap {
  return {
    ...existing,
    metadata: {
      ...existing.metadata,
      labels: { ...existing.metadata.labels, ...fresh.metadata.labels },
      annotations: { ...existing.metadata.annotations, ...fresh.metadata.annotations },
    },
    data: { ...fresh.data },
  }
}
