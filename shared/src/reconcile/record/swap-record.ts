import type { Clock } from "../../foundation/clock.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { isFinal } from "../../foundation/retry.ts"
import { createOnce, isLostRace } from "../../kube/compare-and-swap.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import { isLifted } from "../../record/approval.ts"
import { largestToken } from "../../record/intents.ts"
import type { NewObjects } from "../../record/new-objects.ts"
import type { SourceRecord } from "../../record/record.ts"
import { type RecordNotes, readRecord, recordConfigMap } from "../../record/record-config-map.ts"
import { verificationInForce } from "../decide/verify-revision.ts"
import type { SwapListener } from "../run/ports.ts"
import type { Run } from "../run/run.ts"
import { noteToken } from "../target/known-token.ts"

/** A record as it was read, with the resourceVersion that a swap must name. */
export interface RecordState {
  record: SourceRecord
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
  const state = await retryTransient(transientRetry(ports.clock), signal, () =>
    loadRecord(ports.kube, ports.settings.namespace, request.source, signal),
  )
  noteRecord(run, state)
  return state
}

/** When the API server made an object, for the ports of a run. */
export function madeAt({ metadata }: ConfigMap): { recordMadeAt?: number } {
  const at = Date.parse(metadata.creationTimestamp ?? "")
  return Number.isNaN(at) ? {} : { recordMadeAt: at }
}

interface NotePorts extends Pick<Run, "memory"> {
  request: { cluster: string }
  ports: { clock: Clock }
}

/** Notes the largest token of a record that was read or written. */
export function noteRecord({ memory, request, ports }: NotePorts, state: RecordState | undefined): void {
  if (state === undefined) return
  const { uid } = state.configMap.metadata
  const time = { clock: ports.clock, ...madeAt(state.configMap) }
  noteToken(memory, request.cluster, { token: largestToken(state.record), uid }, time)
}

/** Where a record is, and what its swap needs. */
export interface SwapPorts {
  kube: ConfigMapWriter
  /** Headrace's own namespace. */
  namespace: string
  clock: Clock
  onSwap?: SwapListener | undefined
}

/**
 * Compare-and-swap: writes `next` if the record is still what `base` says (undefined: still absent).
 * Gives the new state, or undefined when it may not be what was written: read it again then. It moved on or
 * is gone, or an answer never came, and the write was tried again after it had had its effect. Throws `kube/…`
 * for anything else, `kube/not-found` where Headrace's namespace is missing.
 */
export async function swapRecord(
  { kube, namespace, clock, onSwap }: SwapPorts,
  base: RecordState | undefined,
  next: SourceRecord,
  signal?: AbortSignal,
  notes: RecordNotes = {},
): Promise<RecordState | undefined> {
  const fresh = recordConfigMap(namespace, next, notes)
  // What no reader of ours could read is not written: every agent and writer would stop at it.
  readRecord(fresh)
  try {
    const configMap = await retryTransient(transientRetry(clock), signal, () =>
      base ? kube.replace(over(base.configMap, fresh), signal) : createOnce(kube, fresh, signal),
    )
    const record = readRecord(configMap)
    onSwap?.({ configMap, before: base?.record, after: record })
    return { record, configMap }
  } catch (error) {
    if (isLostRace(error) && !isFinal(error)) return undefined
    throw error
  }
}

/** Swaps the record of a run, see `swapRecord`. `added`: what its revision added to the store. */
export async function swapState(
  run: Run,
  base: RecordState | undefined,
  next: SourceRecord,
  added?: NewObjects,
): Promise<RecordState | undefined> {
  const { kube, clock, settings, onSwap } = run.ports
  const { namespace } = settings
  const notes = { ...(await notesOfNews(run, base, next)), added }
  const state = await swapRecord({ kube, clock, namespace, onSwap }, base, next, run.signal, notes)
  noteRecord(run, state)
  return state
}

/** When a revision that is new to the record was made, and who signed it. Not knowing the first holds nothing up. */
async function notesOfNews(
  { ports, signal }: Run,
  base: RecordState | undefined,
  next: SourceRecord,
): Promise<RecordNotes> {
  const { commit, rulesCommit } = next
  const isNews = commit !== base?.record.commit || rulesCommit !== base.record.rulesCommit
  if (commit === null || !isNews) return {}
  const lifted = base !== undefined && isLifted(base.record, "unverified", { commit, rulesCommit })
  const verification = await verificationInForce(ports, { commit, rulesCommit }, lifted, signal)
  if (commit === base?.record.commit) return { verification }
  const committedAt = await ports.repository.timeOf(commit, signal).catch(() => undefined)
  return { committedAt, verification }
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
