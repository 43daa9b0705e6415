import { HeadraceError } from "../../foundation/errors.ts"
import { compareAndSwap } from "../../kube/compare-and-swap.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { RecordNotes } from "../../record/record-config-map.ts"
import { sameRecord } from "./next-record.ts"
import { loadRecord, type SwapPorts, swapRecord } from "./swap-record.ts"

/** Where a record is, and what an operator's command needs to change it. */
export interface RecordPorts extends SwapPorts {
  source: string
}

/**
 * An operator's change of a record, by compare-and-swap: `change` is asked again when another writer was
 * first. `notes` are kept beside a record that changes. Gives the record as it then is. Throws `record/absent` when the cluster shows nothing of the source.
 */
export async function changeRecord(
  ports: RecordPorts,
  change: (record: SourceRecord) => SourceRecord | Promise<SourceRecord>,
  signal: AbortSignal,
  notes: RecordNotes = {},
): Promise<SourceRecord> {
  const { kube, namespace, source, clock } = ports
  async function attempt(): Promise<SourceRecord | undefined> {
    const state = await loadRecord(kube, namespace, source, signal)
    if (state === undefined) throw absent(source)
    const next = await change(state.record)
    if (sameRecord(state.record, next)) return state.record
    return (await swapRecord(ports, state, next, signal, notes))?.record
  }
  return compareAndSwap(clock, signal, attempt, () => {
    return new HeadraceError("record/contended", `the record of ${source} kept changing`, {
      hint: "Try again.",
    })
  })
}

function absent(source: string): HeadraceError {
  return new HeadraceError("record/absent", `there is no record of source ${source} in this cluster`, {
    hint: "Run apply first.",
  })
}
