import { readFileSync } from "node:fs"
import { join } from "node:path"
import { logLines } from "../../harness/run-marked.ts"

/** A plugin's line `reconciled`. */
interface Reconciled {
  result: string
  commit: string
  stages: Record<string, number>
  milliseconds: number
  time: string
}

/** An agent's line `revision published`. */
interface Published {
  revision: string
  milliseconds: number
  time: string
}

/** When a commit's webhook was sent, and when the record had it, in milliseconds since the epoch. */
export interface Sent {
  sent: number
  recorded: number
}

/**
 * Milliseconds of each stage of each commit's way, by what plugin and agent log of it. Together they are the way from the
 * webhook to the disk, but for what overlaps: shards and named ConfigMaps are written side by side.
 */
export function stagesOfLogs(logFolder: string, commits: ReadonlyMap<string, Sent>): Map<string, number[]> {
  const plugin = linesOf<Reconciled>(join(logFolder, "plugin-0.log"), "reconciled")
  const agent = linesOf<Published>(join(logFolder, "agent-default.log"), "revision published")
  const stages = new Map<string, number[]>()
  const add = (name: string, value: number) => stages.set(name, [...(stages.get(name) ?? []), value])
  for (const { result, commit, milliseconds, time, stages: own } of plugin) {
    const known = commits.get(commit)
    if (known === undefined || result !== "applied") continue
    add("webhook and lane, until the run begins", Date.parse(time) - milliseconds - known.sent)
    for (const [stage, took] of Object.entries(own)) add(stage, took)
    const other = milliseconds - Object.values(own).reduce((sum, took) => sum + took, 0)
    add("between stages (negative: side by side)", other)
  }
  for (const { revision, milliseconds, time } of agent) {
    const known = commits.get(revision)
    if (known === undefined) continue
    add("agent: hears, reads, assembles", Date.parse(time) - milliseconds - known.recorded)
    add("agent: publishes, durably", milliseconds)
  }
  return stages
}

function linesOf<Line>(file: string, message: string): Line[] {
  return logLines(readFileSync(file, "utf8")).filter(({ msg }) => msg === message) as Line[]
}
