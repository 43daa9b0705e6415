import type { NodeCount } from "./count-live-nodes.ts"
import { failedTargetText } from "./failed-target.ts"
import type { Lateness } from "./read-lateness.ts"
import type { SourceStatus } from "./source-status.ts"

const SHORT = 12
/** Nodes to name; of a thousand that wait, the first few say why. */
const NAMED_NODES = 10

/** A source's status in lines: the first says what it is, the others what is worth a look. */
export function statusText(status: SourceStatus & { lane?: Lateness }): string {
  const late = status.lane?.late ? `\n  late: last succeeded ${status.lane.lastSuccess ?? "never"}` : ""
  return recordText(status) + late
}

function recordText(status: SourceStatus): string {
  if (status.state === "absent") return "nothing yet"
  const lag = status.behind ? `, ${status.behind} commits behind ${short(status.tip)}` : ""
  const size = status.store
    ? `, ${status.store.files} files of ${status.store.targets} ConfigMaps, ${status.store.bytes} bytes`
    : ""
  const lines = [`${status.state} at ${short(status.commit)}${lag}${size}`]
  const { hold, stopped, nodes } = status
  if (nodes) lines.push(...nodeLines(nodes))
  else lines.push("nodes not known: may not list Leases")
  if (hold) {
    lines.push(`held at ${short(hold.commit)} by ${hold.by} until ${hold.until ?? "release"}: ${hold.reason}`)
  }
  if (stopped) lines.push(`stopped at ${short(stopped.commit)}: ${stopped.message} [${stopped.code}]`)
  for (const { commit, targets } of status.intents)
    lines.push(`${short(commit)} under way: ${targets} targets`)
  lines.push(...failedLines(status), ...orphanLines(status))
  for (const { target, writer, at } of status.foreign)
    lines.push(`${target} was written by ${writer}, found and repaired ${at}`)
  return lines.join("\n  ")
}

function failedLines({ failed, failedMore }: SourceStatus): string[] {
  const lines = failed.map(failedTargetText)
  return failedMore > 0 ? [...lines, `and ${failedMore} more failed`] : lines
}

function orphanLines({ orphans, orphansUnknown, stopped, intents }: SourceStatus): string[] {
  const isSettled = stopped === null && intents.length === 0
  if (isSettled && orphansUnknown !== undefined) {
    return [`ConfigMaps that no rule names are not known: ${orphansUnknown}`]
  }
  return (orphans ?? []).map(
    (place) => `${place} is ours and no rule names it any more; apply --direct --prune removes it`,
  )
}

/** `live on 19/20 nodes; node-7: waits for …`, then the nodes that went silent; nothing where none reports. */
export function nodeLines({ live, total, behind, silent }: NodeCount): string[] {
  const waiting = named(
    behind,
    ({ node, shows, problem }) => `${node}: ${problem ?? `shows ${short(shows)}`}`,
  )
  const gone = named(silent, ({ node, since }) => `${node}: no report since ${since ?? "its start"}`)
  const counted = total > 0 ? [[`live on ${live}/${total} nodes`, ...waiting].join("; ")] : []
  return gone.length > 0 ? [...counted, gone.join("; ")] : counted
}

function named<Item>(items: readonly Item[], text: (item: Item) => string): string[] {
  const more = items.length - NAMED_NODES
  return [...items.slice(0, NAMED_NODES).map(text), ...(more > 0 ? [`and ${more} more`] : [])]
}

export function short(commit: string | null): string {
  return commit?.slice(0, SHORT) ?? "nothing"
}
