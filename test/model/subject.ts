import { floorOf } from "@headrace/agent/store/origin"
import {
  collectGarbage,
  type GarbagePorts,
  type GarbageResult,
} from "@headrace/shared/reconcile/operate/collect-garbage"
import { findOrphans } from "@headrace/shared/reconcile/operate/find-orphans"
import { noteNodeTokens, readRecordInForce } from "@headrace/shared/reconcile/operate/notice-put-back"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest } from "@headrace/shared/reconcile/run/ports"

/** The code under test, whole or with one rule of it broken. */
export interface Subject {
  reconcile(request: ReconcileRequest, ports: ReconcilePorts, signal: AbortSignal): Promise<ReconcileOutcome>
  collectGarbage(ports: GarbagePorts, signal: AbortSignal): Promise<GarbageResult>
  findOrphans: typeof findOrphans
  noteNodeTokens: typeof noteNodeTokens
  readRecordInForce: typeof readRecordInForce
  floorOf: typeof floorOf
}

export const SOUND: Subject = {
  reconcile,
  collectGarbage,
  findOrphans,
  noteNodeTokens,
  readRecordInForce,
  floorOf,
}
