import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { userName } from "../../cli/user-name.ts"

/** Runs `release`. */
export function runRelease(options: ChangeRecordsOptions, signal: AbortSignal): Promise<number> {
  const word = { by: userName(), reason: "", said: { verb: "release" } } as const
  return changeRecords(options, signal, async () => word, { git: false })
}
