import { openIntent } from "../../record/intents.ts"
import type { Intent } from "../../record/record.ts"
import { settingsOfRecord } from "../decide/judge-settings.ts"
import type { Run } from "../run/run.ts"
import { sameRecord } from "./next-record.ts"
import { type RecordState, swapState } from "./swap-record.ts"

/** The record with the intent open; undefined when it moved on meanwhile. */
export async function openWork(
  run: Run,
  state: RecordState,
  intent: Intent | undefined,
): Promise<RecordState | undefined> {
  if (intent === undefined) return state
  const settings = settingsOfRecord(run.ports.settings) ?? state.record.settings
  const next = openIntent({ ...state.record, settings }, intent)
  if (sameRecord(state.record, next)) return state
  return swapState(run, state, next)
}
