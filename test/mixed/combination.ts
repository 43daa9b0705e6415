import { until } from "../harness/until.ts"
import type { AgentRun, Fleet, Version } from "./fleet.ts"

/** What one combination did: the row of a table. */
export interface Row {
  what: string
  /** The record's format afterwards. */
  format: number
  did: string
}

/** One combination, from a fleet that shows nothing yet. Throws when it does not do what it must. */
export interface Combination {
  name: string
  run(fleet: Fleet, note: (what: string, did: string) => Promise<void>): Promise<void>
}

const LIMIT_MS = 150_000

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

export async function untilShown(agent: AgentRun, text: string, who: string): Promise<void> {
  await until(() => agent.shown() === text, LIMIT_MS).catch(() => {
    throw new Error(`${who} shows ${agent.shown()} in place of ${text}: ${agent.problems().join(", ")}`)
  })
}

/** Waits for the words of an agent: the earlier one's log does not name every code. */
export async function untilLogged(agent: AgentRun, words: RegExp): Promise<void> {
  await until(() => words.test(agent.lastLines()), LIMIT_MS).catch(() => {
    throw new Error(`an agent does not log ${words}:\n${agent.lastLines()}`)
  })
}

export async function applied(fleet: Fleet, version: Version, ...flags: string[]): Promise<void> {
  const { code, text } = await fleet.run(version, "apply", "--direct", ...flags)
  check(code === 0, `apply of ${version} ended with ${code}: ${text}`)
}
