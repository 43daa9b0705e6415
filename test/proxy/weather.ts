import { createHash } from "node:crypto"
import { type Call, isWrite } from "./call.ts"
import type { WatchedEvent } from "./pass-watch.ts"
import type { EventPerturbation, Perturbation } from "./perturbation.ts"

/** How the way between one process and the API server is. */
export interface Weather {
  /** Names the process among all of all plays. */
  name: string
  /** How many of its calls are perturbed, in [0, 1]. */
  rate: number
  /** Above 0: every read is answered by a server so many writes behind. */
  behind: number
  /** Ends when a paused process goes on, or a late request arrives; undefined: neither happens to this process. */
  later: (() => Promise<void>) | undefined
}

const READS = ["stale", "stale", "stale", "lose request", "pause"] as const
const WRITES = [
  "lose request",
  "lose answer",
  "lose answer",
  "time out",
  "crash before",
  "crash after",
  "pause",
  "arrive late",
] as const
const AGENT_READS = ["stale", "stale", "lose request", "lose answer", "crash before", "crash after"] as const
const AGENT_WATCHES = ["lose request", "expire"] as const
const EVENTS = ["swallow", "cut", "go back"] as const
const MOST_AGO = 4

/** What happens to a call of a writer. */
export function perturbWriter(weather: Weather, call: Call): Perturbation | undefined {
  const { name, rate, behind } = weather
  if (behind > 0 && !isWrite(call)) return { does: "behind", writes: behind }
  if (roll(name, call.point) >= rate) return undefined
  const does = pick(isWrite(call) ? WRITES : READS, roll(name, call.point, "kind"))
  return perturbation(weather, call, does)
}

/** What happens to a call of an agent. */
export function perturbAgent(weather: Weather, call: Call): Perturbation | undefined {
  const { name, rate } = weather
  if (roll(name, call.point) >= rate) return undefined
  const kinds = call.verb === "watch" ? AGENT_WATCHES : AGENT_READS
  return perturbation(weather, call, pick(kinds, roll(name, call.point, "kind")))
}

/** What happens to an event of an agent's watch. */
export function perturbEvent({ name, rate }: Weather, event: WatchedEvent): EventPerturbation | undefined {
  const version = event.object.metadata.resourceVersion ?? ""
  if (roll(name, "event", version) >= rate) return undefined
  return pick(EVENTS, roll(name, "event", version, "kind"))
}

function perturbation(
  { name, later }: Weather,
  call: Call,
  does: (typeof READS | typeof WRITES | typeof AGENT_WATCHES)[number],
): Perturbation | undefined {
  if (does === "stale") return { does, ago: 1 + Math.floor(roll(name, call.point, "ago") * MOST_AGO) }
  if (does === "pause" || does === "arrive late") return later && { does, until: later }
  return { does }
}

/**
 * A number in [0, 1) that depends on these alone. Calls that are under way together come in any order, and what becomes
 * of each does not depend on it, or a seed would not give the same play again.
 */
export function roll(...of: readonly string[]): number {
  return createHash("sha256").update(of.join(" ")).digest().readUInt32BE() / 2 ** 32
}

/** One of these, by a number in [0, 1). */
export function pick<T>(choices: readonly [T, ...T[]], chance: number): T {
  return choices[Math.floor(chance * choices.length)] ?? choices[0]
}
