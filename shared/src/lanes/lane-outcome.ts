import { z } from "zod"
import { type ErrorCode, errorMessage, HeadraceError } from "../foundation/errors.ts"
import type { ReconcileOutcome } from "../reconcile/run/ports.ts"
import { LANES_FORMAT } from "./wake-up.ts"

/** What working a wake-up came to. */
export const LaneResult = z.strictObject({
  /** As reconcile says it; `failed` when it threw. */
  result: z.enum(["noop", "applied", "stopped", "superseded", "failed"]),
  /** The commit that the cluster's record is at; null when unknown. */
  commit: z.string().nullable(),
  /** Targets that hold their last good content, with the reason. */
  failed: z.array(z.strictObject({ target: z.string(), reason: z.string() })),
  /** Why it stopped or failed. */
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})
export type LaneResult = z.infer<typeof LaneResult>

/** The last outcome of a source and mode in a lane, as Redis keeps it. */
export const LaneOutcome = LaneResult.extend({
  format: z.literal(LANES_FORMAT),
  source: z.string(),
  mode: z.enum(["incremental", "full"]),
  /** The ticket drawn last before the work began: an outcome answers all tickets up to it. */
  ticket: z.int().min(0),
  /** Milliseconds since the epoch, when the work ended. */
  at: z.int(),
})
export type LaneOutcome = z.infer<typeof LaneOutcome>

/** True when the source is at its goal, or deliberately held: what "last success" counts. */
export function succeeded(result: LaneResult): boolean {
  return result.result !== "failed" && result.result !== "stopped" && result.failed.length === 0
}

/** A reconcile's outcome as lanes keep it. */
export function laneResult(outcome: ReconcileOutcome): LaneResult {
  const { result, commit, failed, stopped } = outcome
  return {
    result,
    commit,
    failed: failed.map(({ target, reason }) => ({ target, reason })),
    error: stopped ? { code: stopped.code, message: stopped.message } : null,
  }
}

/** The result of work that threw. */
export function failedResult(error: unknown): LaneResult {
  const code: ErrorCode = error instanceof HeadraceError ? error.code : "program/unexpected"
  return { result: "failed", commit: null, failed: [], error: { code, message: errorMessage(error) } }
}
