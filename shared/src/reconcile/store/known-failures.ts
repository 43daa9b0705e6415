import { hasCode } from "../../foundation/errors.ts"
import type { TargetEntry } from "../../record/build-index.ts"
import { type FailedTarget, readFailedTarget, type SourceRecord } from "../../record/record.ts"
import { listFailures } from "../../record/walk-index.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { indexReader } from "./read-store.ts"

/** What a record says of failed targets, with what its own 4 KiB have no room for. */
export interface KnownFailures {
  failed: readonly FailedTarget[]
  /** By `namespace/name`, what failed targets hold in the store, where the plan gives them nothing else. */
  held: ReadonlyMap<string, TargetEntry>
  /** False: there are more than these, and the object that lists them was lost or never written. */
  complete: boolean
}

/** The failed targets of a record: all of them, unless the store has lost the object that lists them. Throws `kube/…`. */
export async function knownFailures(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  record: Pick<SourceRecord, "failed" | "failedMore" | "failures">,
  signal: AbortSignal,
): Promise<KnownFailures> {
  const inRecord = { failed: record.failed, held: new Map(), complete: record.failedMore === 0 }
  if (record.failures === null) return inRecord
  try {
    const listed = await listFailures(record.failures, indexReader(ports, memory, signal))
    const held = listed.flatMap(({ target, held: entry }) => {
      const [namespace = "", name = ""] = target.split("/")
      return entry ? [[target, { namespace, name, ...entry }] as const] : []
    })
    const failed = listed.map(({ target, reason, since }) => readFailedTarget({ target, reason, since }))
    return { failed, held: new Map(held), complete: true }
  } catch (error) {
    if (hasCode(error, "store/") || hasCode(error, "bundle/")) return { ...inRecord, complete: false }
    throw error
  }
}
