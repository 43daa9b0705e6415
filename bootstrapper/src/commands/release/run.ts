import { releaseSource } from "@headrace/shared/reconcile/operate/hold-source"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"

/** Runs `release`. */
export function runRelease(options: ChangeRecordsOptions, signal: AbortSignal): Promise<number> {
  return changeRecords(options, signal, (ports) => releaseSource(ports, signal), { git: false })
}
