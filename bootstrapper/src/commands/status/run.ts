import { paintFor } from "@headrace/shared/command-line/paint"
import { startProgress } from "@headrace/shared/command-line/progress"
import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { FULL_ID } from "@headrace/shared/foundation/object-id"
import { type Answer, answered, startAsking } from "@headrace/shared/status/answer"
import { collectFleet } from "@headrace/shared/status/collect-fleet"
import type { ClusterSourceFacts } from "@headrace/shared/status/fleet-facts"
import type { FleetStatus } from "@headrace/shared/status/fleet-status"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { rejectionsOf } from "@headrace/shared/status/revisions-with"
import { statusPage } from "@headrace/shared/status/status-page"
import { statusText } from "@headrace/shared/status/status-text"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { ClusterSourceResult } from "../../cli/for-each-cluster-source.ts"
import { type Fleet, type FleetOptions, openFleet } from "../../cli/open-fleet.ts"
import { printResults } from "../../cli/print-results.ts"
import { readTimeLimit } from "../../cli/read-time-limit.ts"
import { terminalColumns } from "../../cli/terminal-columns.ts"
import {
  type CommitStatus,
  commitStatus,
  commitText,
  findChange,
  isOfAnotherSource,
  type WantedChange,
} from "./commit-status.ts"

export interface StatusOptions extends FleetOptions {
  output: "text" | "json" | "html"
  watch: boolean
}

/** Between two looks of `--watch` and of `--wait`. */
const WATCH_MS = 2000
const WAIT_MS = 1000
const CLEAR_SCREEN = "\u001b[H\u001b[2J"

/** Runs `status`; gives the exit code: 1 while something needs a person. */
export async function runStatus(options: StatusOptions, signal: AbortSignal): Promise<number> {
  const fleet = await openFleet(options)
  try {
    let status = await look(fleet, options, signal)
    process.stdout.write((options.watch ? CLEAR_SCREEN : "") + printed(status, options))
    while (options.watch && (await pause(signal))) {
      status = await look(fleet, options, signal).catch((error: unknown) => {
        if (signal.aborted) return status
        throw error
      })
      process.stdout.write(CLEAR_SCREEN + printed(status, options))
    }
    return status.level === "trouble" ? 1 : 0
  } finally {
    await fleet.close()
  }
}

async function look(fleet: Fleet, { fetch }: StatusOptions, signal: AbortSignal): Promise<FleetStatus> {
  const { clusterSources, limit, ports, context } = fleet
  return judgeFleet(await collectFleet(ports, { clusterSources, fetch, limit }, signal), context)
}

function printed(status: FleetStatus, { output }: StatusOptions): string {
  if (output === "json") return `${JSON.stringify(status, undefined, 2)}\n`
  if (output === "html") return statusPage(status, { refresh: false })
  return statusText(status, paintFor(process.stdout), terminalColumns())
}

/** False once the reader has seen enough. */
async function pause(signal: AbortSignal): Promise<boolean> {
  await systemClock.sleep(WATCH_MS, signal).catch(() => undefined)
  return !signal.aborted
}

export interface CommitStatusOptions extends FleetOptions {
  output: "text" | "json" | "html"
  wait: boolean
  timeLimit: string
  ignoreSilent: boolean
}

/** Runs `status --commit` or `--pr`; gives the exit code: 1 when it is not live everywhere. */
export async function runCommitStatus(
  options: CommitStatusOptions,
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<number> {
  const limit = readTimeLimit(options.timeLimit)
  const deadline = systemClock.now() + (options.wait ? limit : 0)
  const fleet = await openFleet(options)
  const progress = startProgress("status")
  try {
    for (;;) {
      const results = await commitResults(fleet, wanted, options, signal)
      const isLive = results.every((one) => one.ok && one.result.live)
      const left = deadline - systemClock.now()
      if (isLive || left <= 0) {
        progress.end()
        const output: ClusterSourceOptions["output"] = options.output === "json" ? "json" : "text"
        const exitCode = printResults(results, output, commitText)
        return isLive ? exitCode : 1
      }
      progress.report(waitingFor(results))
      await systemClock.sleep(Math.min(WAIT_MS, left), signal)
    }
  } finally {
    progress.end()
    await fleet.close()
  }
}

type Results = ClusterSourceResult<CommitStatus>[]

async function commitResults(
  fleet: Fleet,
  wanted: WantedChange,
  { ignoreSilent }: CommitStatusOptions,
  signal: AbortSignal,
): Promise<Results> {
  const { clusterSources, limit, ports } = fleet
  const { orphans: _, ...withoutOrphans } = ports
  const [changes, facts] = await Promise.all([
    changesOf(fleet, wanted, signal),
    collectFleet(withoutOrphans, { clusterSources, fetch: false, limit }, signal),
  ])
  const ask = startAsking(limit, signal)
  const concerned = facts.clusterSources.filter(({ source }) => changes.has(source))
  return Promise.all(concerned.map((one) => resultOf(one, changes.get(one.source))))

  async function resultOf(
    one: ClusterSourceFacts,
    change: Answer<string | null> | undefined,
  ): Promise<Results[number]> {
    const { cluster, source } = one
    if (!change?.known) return { cluster, source, ok: false, error: errorOf(change) }
    const rejections = rejectionsOf(facts.clusterSources, source)
    const question = { wanted, commit: change.value, ignoreSilent, now: facts.at, rejections }
    const result = await commitStatus(one, await fleet.reconciler.repository(source), question, ask)
    return { cluster, source, ok: true, result }
  }
}

/** The change in each source that has it; in all of them where none has, or none answers. */
async function changesOf(
  { clusterSources, limit, reconciler }: Fleet,
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<Map<string, Answer<string | null>>> {
  const ask = startAsking(limit, signal)
  const sources = [...new Set(clusterSources.map(({ source }) => source))]
  const found = await Promise.all(
    sources.map(async (source) => {
      const change = await ask(`git, for source ${source},`, async (limited) =>
        findChange(await reconciler.repository(source), wanted, limited),
      )
      return [source, change] as const
    }),
  )
  refuseAmbiguous(found.map(([, change]) => change))
  const concerned = found.filter(([, change]) => !isOfAnotherSource(change))
  if (concerned.length > 0) return new Map(concerned)
  // A commit that was given in full may be shown though no mirror here has it: one off the branch, say.
  const isGivenInFull = "commit" in wanted && FULL_ID.test(wanted.commit)
  return new Map(isGivenInFull ? sources.map((source) => [source, answered(wanted.commit)]) : found)
}

/** What a person typed names two commits: that is misuse, whatever else is known. Throws UsageError `flag/commit-id`. */
function refuseAmbiguous(changes: readonly Answer<unknown>[]): void {
  for (const change of changes) {
    if (change.known || change.problem.code !== "flag/commit-id") continue
    const { message, hint } = change.problem
    throw new UsageError("flag/commit-id", message, hint === null ? {} : { hint })
  }
}

function errorOf(change: Answer<unknown> | undefined) {
  if (change === undefined || change.known) throw new HeadraceError("program/unexpected", "no answer of git")
  const { code, message, hint } = change.problem
  return { code, message, ...(hint === null ? {} : { hint }) }
}

function waitingFor(results: Results): string {
  const waiting = results.find((one) => !one.ok || !one.result.live)
  if (waiting === undefined) return "waiting"
  const why = waiting.ok ? waiting.result.reasons[0] : waiting.error.message
  return `waiting for ${waiting.source} in ${waiting.cluster}: ${why}`
}
