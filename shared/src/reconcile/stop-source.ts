import { HeadraceError } from "../foundation/errors.ts"
import { newRecord } from "../record/new-record.ts"
import type { Record } from "../record/record.ts"
import { NO_TOKEN } from "../record/token.ts"
import { aimOfIntent } from "./aim.ts"
import { type Applied, applyWork } from "./apply-work.ts"
import { sameRecord } from "./commit-record.ts"
import { type RecordState, swapRecord } from "./record-state.ts"
import type { Run } from "./run.ts"
import { type Work, workAgain } from "./work-out.ts"

/**
 * Notes in the record why its source stands still. Last good stays in force; but what an earlier run has
 * begun is ended first, so that the named ConfigMaps do not stay half at one commit and half at another.
 */
export async function stopSource(
  run: Run,
  state: RecordState | undefined,
  stopped: NonNullable<Record["stopped"]>,
): Promise<Applied> {
  const begun = state && (await workBegun(run, state.record, stopped))
  if (begun) return applyWork(run, state, begun)
  const base = state?.record ?? newRecord(run.request.source, NO_TOKEN)
  const next = { ...base, stopped }
  if (state && sameRecord(base, next)) return { kind: "committed", record: base, written: 0 }
  const { ports, signal } = run
  const swapped = await swapRecord(ports.kube, ports.settings.namespace, state, next, signal)
  return swapped ? { kind: "committed", record: swapped.record, written: 0 } : { kind: "again" }
}

/** The work of the largest open intent, when that can still be planned and is not what we stopped at. */
async function workBegun(
  run: Run,
  record: Record,
  stopped: NonNullable<Record["stopped"]>,
): Promise<Work | undefined> {
  const intent = record.intents.at(-1)
  if (intent === undefined || intent.commit === stopped.commit) return undefined
  if ((await run.ports.repository.seqOf(intent.commit, run.signal)) === undefined) return undefined
  try {
    return await workAgain(run, record, aimOfIntent(intent), stopped)
  } catch (error) {
    if (error instanceof HeadraceError && error.code.startsWith("rules/")) return undefined
    throw error
  }
}
