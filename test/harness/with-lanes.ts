import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"

const SILENT = createLog("test", { level: "silent" })

/** Runs `fn` with lanes on the Redis at this URL, and closes them afterwards. */
export async function withLanes<T>(redis: string, fn: (lanes: Lanes) => Promise<T>): Promise<T> {
  const lanes = await openLanes({ redis, log: SILENT })
  try {
    return await fn(lanes)
  } finally {
    await lanes.close()
  }
}
