import { type Finding, Level } from "./fleet-status.ts"

/** A finding with nothing but what it must have, and what is given beside. */
export function finding(
  level: Finding["level"],
  kind: Finding["kind"],
  text: string,
  more: Partial<Finding> = {},
): Finding {
  const nothing = { code: null, subject: null, since: null, detail: null, advice: null, command: null }
  return { level, kind, text, ...nothing, ...more }
}

/** Orders by level, worst first. */
export function byLevel(a: { level: Level }, b: { level: Level }): number {
  return Level.options.indexOf(a.level) - Level.options.indexOf(b.level)
}

/** The worst of these levels; `well` without any. */
export function worstLevel(all: readonly { level: Level }[]): Level {
  return Level.options.find((level) => all.some((one) => one.level === level)) ?? "well"
}
