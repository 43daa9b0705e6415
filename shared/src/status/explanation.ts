import { byLevel, worstLevel } from "./finding.ts"
import type { Finding, Level } from "./fleet-status.ts"

/** How far a thing has got and why: what `explain` prints. */
export interface Explanation {
  format: 1
  kind: "commit" | "pull request" | "file" | "target" | "node"
  name: string
  /** ISO time when it was asked. */
  at: string
  level: Level
  /** The answer in a sentence. */
  answer: string
  /** The way up to the clusters, in order: git, rules, webhook. */
  steps: Step[]
  /** What came of it in each cluster, or on each node, worst first. */
  places: PlaceExplanation[]
}

export interface Step {
  /** What it is about: `commit`, `branch`, `rules`, `webhook`. */
  what: string
  level: Level
  text: string
}

export interface PlaceExplanation {
  /** Such as `release in east`. */
  place: string
  level: Level
  text: string
  /** Why, with what to type. */
  findings: Finding[]
}

/** Puts an explanation together: the worst place first, and its level the worst of all. */
export function explanation(parts: Omit<Explanation, "format" | "level">): Explanation {
  const places = [...parts.places].sort(byLevel)
  return { format: 1, ...parts, places, level: worstLevel([...parts.steps, ...places]) }
}
