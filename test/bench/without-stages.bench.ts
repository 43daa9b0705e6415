import { setTimeout as delay } from "node:timers/promises"
import { EARLIER_THAN_ROLLOUTS, hasCommit, today, withEarlierPrograms } from "../mixed/earlier-programs.ts"
import { type Fleet, RULES, type Version, withFleet } from "../mixed/fleet.ts"
import { quantile } from "./quantile.ts"

const PAIRS = Number(process.env.HEADRACE_BENCH_PAIRS ?? 300)
const WARM_UP = 10
const LIMIT_MS = 60_000

export const goals = { "ratio of medians": 1.1 }

/** Webhook to disk of a source without stages, beside the version that knew none: in turns, each on a cluster of its own. */
export async function run(): Promise<Record<string, number>> {
  if (!hasCommit(EARLIER_THAN_ROLLOUTS)) {
    process.stdout.write(
      `  this clone does not have commit ${EARLIER_THAN_ROLLOUTS}: run git fetch --unshallow\n`,
    )
    return {}
  }
  return withEarlierPrograms(EARLIER_THAN_ROLLOUTS, (earlier) => {
    const programs = { earlier, today }
    return withFleet(programs, (before) => withFleet(programs, (now) => measure(before, now)))
  })
}

async function measure(before: Fleet, now: Fleet): Promise<Record<string, number>> {
  const sides = { before: await start(before, "earlier"), now: await start(now, "today") }
  const took: Record<keyof typeof sides, number[]> = { before: [], now: [] }
  for (let pair = 0; pair < WARM_UP + PAIRS; pair += 1) {
    // What comes first finds other caches than what comes second.
    for (const side of pair % 2 === 0 ? (["before", "now"] as const) : (["now", "before"] as const)) {
      took[side].push(await sides[side](`${pair}`))
    }
  }
  const figures = (side: keyof typeof sides) => took[side].slice(WARM_UP)
  const [earlier, today] = [figures("before"), figures("now")]
  return {
    pairs: PAIRS,
    "before rollouts, p50 ms": quantile(earlier, 0.5),
    "before rollouts, p90 ms": quantile(earlier, 0.9),
    "now, without stages, p50 ms": quantile(today, 0.5),
    "now, without stages, p90 ms": quantile(today, 0.9),
    "ratio of medians": quantile(today, 0.5) / quantile(earlier, 0.5),
  }
}

/** Starts a plugin and an agent; what it gives merges a content and measures until the disk shows it, in milliseconds. */
async function start(fleet: Fleet, version: Version): Promise<(content: string) => Promise<number>> {
  await fleet.commit({ "rules.yaml": RULES, "jobs/a": "first" })
  const plugin = await fleet.plugin(version)
  await plugin.deliver()
  const agent = await fleet.agent(version, "node")
  await shows("first")

  async function shows(content: string): Promise<void> {
    const end = performance.now() + LIMIT_MS
    while (agent.shown() !== content) {
      if (performance.now() > end) throw new Error(`${version}: the disk does not show ${content}`)
      await delay(1)
    }
  }

  return async (content) => {
    const commit = await fleet.commit({ "jobs/a": content })
    const sent = performance.now()
    await plugin.deliver(commit)
    await shows(content)
    return performance.now() - sent
  }
}
