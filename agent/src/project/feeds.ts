import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { Inputs } from "../assemble/inputs.ts"
import { type LiveSelection, liveSelection } from "../watch/live-selection.ts"
import { watchLive } from "../watch/watch-live.ts"
import type { WatchPorts } from "../watch/watch-ports.ts"
import { watchRecord } from "../watch/watch-record.ts"

/** Changes what the agent knows. */
export type ChangeInputs = (change: (inputs: Inputs) => Inputs) => void

/** Follows everything that the settings name, each source once, until the signal aborts. */
export async function runFeeds(
  settings: AgentSettings,
  reader: ConfigMapReader,
  ports: WatchPorts,
  change: ChangeInputs,
  signal: AbortSignal,
): Promise<void> {
  const feeds = liveSelections(settings).map((selection) =>
    watchLive(
      reader,
      selection,
      ports,
      (configMaps) => {
        change((inputs) => ({ ...inputs, live: new Map(inputs.live).set(selection.id, configMaps) }))
      },
      signal,
    ),
  )
  if (settings.record !== undefined) {
    const [namespace = "", name = ""] = settings.record.split("/")
    const place = { namespace, name }
    feeds.push(
      watchRecord(reader, place, ports, (record) => change((inputs) => ({ ...inputs, record })), signal),
    )
  }
  await Promise.all(feeds)
}

/** The selections of all `live` sources, each once. */
export function liveSelections(settings: AgentSettings): LiveSelection[] {
  const selections = Object.values(settings.projections)
    .flatMap(({ from }) => from)
    .flatMap(({ live }) => (live === undefined ? [] : [liveSelection(live)]))
  return [...new Map(selections.map((selection) => [selection.id, selection])).values()]
}
