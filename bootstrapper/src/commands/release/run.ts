import { releaseSource } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import type { PlaceOptions } from "../../cli/place-options.ts"

/** Runs `release`. */
export function runRelease(options: PlaceOptions, signal: AbortSignal): Promise<number> {
  return changeRecords(options, signal, (ports) => releaseSource(ports, signal))
}
