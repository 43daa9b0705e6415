import { releaseSource } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"

/** Runs `release`. */
export function runRelease(options: ClusterSourceOptions, signal: AbortSignal): Promise<number> {
  return changeRecords(options, signal, (ports) => releaseSource(ports, signal))
}
