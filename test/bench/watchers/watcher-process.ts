import { followConfigMaps } from "@headrace/shared/kube/light/follow"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { NAMESPACE, SOURCE } from "../../harness/write-revision.ts"

/** What the process sends: how many of its watchers show a commit, each time that changes, and its CPU so far. */
export interface WatchersMessage {
  commit: string
  watchers: number
  cpuSeconds: number
}

/** Watchers of the record, each as an agent's, with a connection of its own: `node watcher-process.ts KUBECONFIG COUNT`. */
const [, , kubeconfig = "", count = "0"] = process.argv
const log = createLog("watchers", { level: "silent" })
const { signal } = new AbortController()
const shown = new Map<string, number>()
let waiting = false

process.on("disconnect", () => process.exit(0))
await Promise.all(Array.from({ length: Number(count) }, () => watch()))

async function watch(): Promise<void> {
  const client = await openLightClient({ kubeconfig, log })
  const selection = { fieldSelector: `metadata.name=${SOURCE}` }
  for await (const { objects } of followConfigMaps(client, { namespace: NAMESPACE, selection }, signal)) {
    const record = objects.get(`${NAMESPACE}/${SOURCE}`)
    const commit = record && readRecord(record).commit
    if (!commit) continue
    shown.set(commit, (shown.get(commit) ?? 0) + 1)
    reportSoon()
  }
}

/** One message for all that hear of it in a moment. */
function reportSoon(): void {
  if (waiting) return
  waiting = true
  setTimeout(() => {
    waiting = false
    const { user, system } = process.cpuUsage()
    for (const [commit, watchers] of shown) {
      process.send?.({ commit, watchers, cpuSeconds: (user + system) / 1e6 } satisfies WatchersMessage)
    }
  }, 20)
}
