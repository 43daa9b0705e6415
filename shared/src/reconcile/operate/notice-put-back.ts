import { hasCode } from "../../foundation/errors.ts"
import type { LeaseReader } from "../../kube/lease-api.ts"
import { REPORT_SELECTOR } from "../../record/node-report.ts"
import type { SourceRecord } from "../../record/record.ts"
import { readReport } from "../../record/report-of-lease.ts"
import { loadRecord, madeAt, noteRecord } from "../record/swap-record.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { largestBelieved, noteToken, tokenBeyond } from "../target/known-token.ts"

/** A record as it was read. */
export interface ReadRecord {
  record: SourceRecord
  /** True when a larger token was in force: an earlier record was put back, and the next run takes an epoch beyond. */
  isPutBack: boolean
}

/**
 * Reads the record of a source in a cluster and remembers its token. Undefined where there is none. Throws `record/…`,
 * `kube/…`.
 */
export async function readRecordInForce(
  ports: ReconcilePorts,
  { cluster, source }: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<ReadRecord | undefined> {
  const memory = ports.memory ?? createReconcileMemory()
  const state = await loadRecord(ports.kube, ports.settings.namespace, source, signal)
  if (state === undefined) return undefined
  noteRecord({ memory, ports, request: { cluster } }, state)
  const { record } = state
  const { uid } = state.configMap.metadata
  const time = { ...ports, ...madeAt(state.configMap) }
  return { record, isPutBack: tokenBeyond(memory, cluster, { record, uid }, time) !== undefined }
}

/**
 * Remembers the tokens that the nodes of a cluster report of a source's record: a process that has just begun learns
 * from them what was in force before a record was put back. A report is a claim: an epoch more than a day ahead of now
 * counts for nothing. Does nothing where Leases may not be listed. Throws KubeError.
 */
export async function noteNodeTokens(
  ports: ReconcilePorts,
  leases: LeaseReader,
  { cluster, source }: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<void> {
  const { memory, settings } = ports
  if (memory === undefined) return
  const record = `${settings.namespace}/${source}`
  for (const namespace of new Set([settings.namespace, settings.programsNamespace])) {
    for (const lease of await listed(leases, namespace, signal)) {
      const report = readReport(lease)
      if (report?.record !== record) continue
      for (const { token } of report.projections) {
        if (token !== null && token.epoch <= largestBelieved(ports))
          noteToken(memory, cluster, { token, uid: undefined }, ports)
      }
    }
  }
}

async function listed(leases: LeaseReader, namespace: string, signal: AbortSignal) {
  try {
    return await leases.listLeases(namespace, REPORT_SELECTOR, signal)
  } catch (error) {
    if (hasCode(error, "kube/forbidden")) return []
    throw error
  }
}
