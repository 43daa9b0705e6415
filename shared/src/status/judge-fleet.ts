import { byLevel, finding, worstLevel } from "./finding.ts"
import { type FleetFacts, type LaneFacts, laneKey } from "./fleet-facts.ts"
import {
  type ClusterSourceState,
  type ClusterSourceStatus,
  type Finding,
  type FleetStatus,
  STATUS_FORMATS,
  ClusterSourceState as States,
} from "./fleet-status.ts"
import { judgeClusterSource } from "./judge-cluster-source.ts"
import { unrecordedFindings } from "./projection-findings.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { type CommandContext, suggestCommand } from "./suggest-command.ts"

/** Judges everything that was collected: one value that text, JSON, page, explanations and metrics are made of. Pure. */
export function judgeFleet(facts: FleetFacts, context: CommandContext): FleetStatus {
  const { at, branches, lanes } = facts
  const clusterSources = facts.clusterSources
    .map((one) => {
      const branch = branches.get(one.source)
      const key = laneKey(one.cluster, one.source)
      return judgeClusterSource(one, {
        staged: stagedCommits(facts, one.source),
        now: at,
        branch: branch?.known ? branch.value : undefined,
        lane: lanes?.known
          ? {
              lastSuccess: lanes.value.successes.get(key),
              outcome: lanes.value.outcomes.get(key),
              holdUp: lanes.value.holdUps?.get(key) ?? [],
              retry: lanes.value.retries?.get(key),
            }
          : undefined,
        context,
      })
    })
    .sort(worstFirst)
  const findings = [
    ...gitFindings(facts),
    ...redisFindings(facts, context),
    ...unrecordedFindings(facts, context),
  ]
  return {
    format: Math.max(...clusterSources.map(formatOf), STATUS_FORMATS.first) as FleetStatus["format"],
    at: new Date(at).toISOString(),
    level: worstLevel([...findings, ...clusterSources]),
    findings,
    clusterSources,
  }
}

function stagedCommits({ clusterSources }: FleetFacts, source: string): Set<string> {
  const records = clusterSources.flatMap((one) =>
    one.source === source && one.record.known ? (one.record.value ?? []) : [],
  )
  return new Set(
    records
      .flatMap(({ candidate, rejected }) => [candidate ?? [], rejected ?? []].flat())
      .map(({ commit }) => commit),
  )
}

function formatOf({ failed, rollout, rejected, nodes, words }: ClusterSourceStatus): FleetStatus["format"] {
  if (failed.some(({ next }) => next !== undefined)) return STATUS_FORMATS.next
  if (rollout?.holdUp !== undefined) return STATUS_FORMATS.holdUp
  if (words !== undefined) return STATUS_FORMATS.words
  const isStaged = rollout !== undefined || rejected !== undefined || nodes?.unhealthy !== undefined
  return isStaged ? STATUS_FORMATS.rollouts : STATUS_FORMATS.first
}

function worstFirst(a: ClusterSourceStatus, b: ClusterSourceStatus): number {
  return byLevel(a, b) || stateRank(a.state) - stateRank(b.state)
}

function stateRank(state: ClusterSourceState): number {
  return States.options.indexOf(state)
}

function gitFindings({ branches }: FleetFacts): Finding[] {
  return [...branches].flatMap(([source, branch]) => {
    if (branch.known) return []
    const { code, message, hint } = branch.problem
    const more = { code, subject: source, detail: message, advice: hint ?? remedyOfCode(code) }
    return [finding("trouble", "git", `how far ${source} is behind is not known`, more)]
  })
}

const UNTIL_THEN = "Until then this brings every cluster to its branch without it."

function redisFindings({ lanes, at }: FleetFacts, context: CommandContext): Finding[] {
  if (lanes === undefined) return []
  if (lanes.known) {
    return [...(lanes.value.isFull ? [fullRedis(context)] : []), ...pauseFindings(lanes.value, at)]
  }
  const { code, message, hint } = lanes.problem
  const more = { code, detail: message, advice: hint ?? remedyOfCode(code) }
  const text = "when lanes last succeeded is not known"
  // The file is where the plugin runs; an operator's own machine need not have it.
  if (code === "lanes/redis-url-file") return [finding("notice", "redis", text, more)]
  return [finding("trouble", "redis", text, { ...more, ...withoutRedis(more.advice, context) })]
}

/** How long a pause that is over is shown. */
const PAUSE_SHOWN_MS = 24 * 3_600_000

/** Lanes that another program has paused: nothing that Headrace does. */
function pauseFindings({ pauses = new Map() }: LaneFacts, now: number): Finding[] {
  return [...pauses].flatMap(([cluster, { isPaused, resumedAt }]) => {
    const more = { code: "lanes/paused", subject: cluster, advice: remedyOfCode("lanes/paused") }
    if (isPaused) {
      const detail = "webhooks, polls and the hourly run wait there"
      return [
        finding("trouble", "redis", `another program has paused the lane of ${cluster}`, { ...more, detail }),
      ]
    }
    if (resumedAt === undefined || now - resumedAt > PAUSE_SHOWN_MS) return []
    const since = new Date(resumedAt).toISOString()
    return [
      finding("notice", "redis", `another program had paused the lane of ${cluster}; resumed`, {
        ...more,
        since,
      }),
    ]
  })
}

function fullRedis(context: CommandContext): Finding {
  const code = "lanes/redis-full"
  const detail = "webhooks are refused, and polls bring changes late"
  const more = withoutRedis(remedyOfCode(code), context)
  return finding("trouble", "redis", "Redis is full", { code, detail, ...more })
}

/** What to do about Redis, and what does its work until that is done. */
function withoutRedis(remedy: string | null, context: CommandContext): Pick<Finding, "advice" | "command"> {
  const advice = [remedy, UNTIL_THEN].filter((part) => part !== null).join(" ")
  return { advice, command: suggestCommand(context, ["apply", "--direct"]) }
}
