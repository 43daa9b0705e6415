import { hasCode } from "../../foundation/errors.ts"
import { epochInForce, openIntent } from "../../record/intents.ts"
import { loadState, type RecordState, swapState } from "../record/swap-record.ts"
import type { Run } from "../run/run.ts"
import { STORE_SELECTOR, UNUSED_SINCE } from "../store/read-store.ts"
import { collectGarbage } from "./collect-garbage.ts"

/** True for the answer of an API server to a creation beyond a ResourceQuota: its code is that of missing rights. */
export function isOverQuota(error: unknown): boolean {
  return hasCode(error, "kube/forbidden") && /exceeded quota/.test(error.message)
}

/**
 * Removes what no record names from Headrace's own namespace, which is at its quota, without the usual grace time. True
 * when something was removed: begin again. False when there is no garbage, and when another source's writer is at work.
 *
 * The grace time protects writers that are under way. Here they are kept out in other ways. Those of this source: its
 * open intents are taken over in a new epoch, so that none of them can swap the record. Those of others: garbage is
 * marked first, then the records are read again, and only then it is deleted, by the version that was marked; a writer that
 * begins in between takes the mark off what it uses. An agent that still reads an old revision goes on with a newer one.
 */
export async function makeRoom(run: Run): Promise<boolean> {
  const { ports, request, signal } = run
  const { kube, clock, settings } = ports
  const state = await loadState(run)
  const garbage = { kube, clock, namespace: settings.namespace, grace: 0, roomFor: request.source }
  const { marked, skipped } = await collectGarbage({ ...garbage, grace: Number.POSITIVE_INFINITY }, signal)
  if (skipped !== undefined || !(await hasGarbage(run))) return false
  if (state !== undefined && !(await overtakeWriters(run, state))) return true
  const { deleted } = await collectGarbage(garbage, signal)
  ports.log.warn({ marked, deleted }, "the namespace of records is at its quota: garbage removed")
  return deleted > 0
}

async function hasGarbage({ ports, signal }: Run): Promise<boolean> {
  const selection = { labelSelector: STORE_SELECTOR }
  const items = await ports.kube.listMetadata(ports.settings.namespace, selection, signal)
  return items.some(({ annotations }) => annotations?.[UNUSED_SINCE] !== undefined)
}

/** False when the record moved on meanwhile. */
async function overtakeWriters(run: Run, state: RecordState): Promise<boolean> {
  const open = state.record.intents.at(-1)
  if (open === undefined) return true
  const token = { epoch: epochInForce(state.record) + 1, seq: open.token.seq }
  return (await swapState(run, state, openIntent(state.record, { ...open, token }))) !== undefined
}
