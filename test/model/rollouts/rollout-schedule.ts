import fc from "fast-check"
import type { Effect } from "./model-node.ts"

/** One thing that happens. Clusters and nodes are numbers, taken modulo how many there are. */
export type RolloutOp =
  | { kind: "commit"; effect: Effect }
  | { kind: "look"; cluster: number; process: number; full: boolean; stopAfter: number | undefined }
  | { kind: "nodes"; cluster: number }
  | { kind: "wait"; seconds: number }
  /** A look whose process is paused before this write, and the end of all such pauses. */
  | { kind: "pause"; cluster: number; process: number; before: number }
  | { kind: "wake" }
  /** Every program gets settings with other bake times, or the first ones again. */
  | { kind: "policy" }
  | { kind: "kill" | "revive" | "deafen" | "hear"; cluster: number; node: number }
  | {
      kind: "away" | "back" | "lose" | "backup" | "restore" | "restart" | "collect" | "return"
      cluster: number
    }
  | { kind: "release" | "hold" | "lift" | "promote" | "skip"; cluster: number }
  | { kind: "rewind"; cluster: number; commits: number }

/** A fleet, its policy, and what happens to it. */
export interface RolloutSchedule {
  sizes: number[]
  newer: "finish" | "restart"
  onFailure: "return" | "stop"
  /** Of a stage's nodes. */
  healthy: "60%" | "100%"
  /** True: the first stage is for labelled nodes, which is every other one. */
  labels: boolean
  /** True: after all, the first node that is seen to show a candidate dies. */
  dies: boolean
  ops: RolloutOp[]
  /** A part of every so manieth commit is unknown; absent or 0: of none. */
  unknown?: number
}

const cluster = fc.nat(2)
const node = fc.nat(4)

const often = fc.oneof(
  fc.record({
    kind: fc.constant("commit" as const),
    effect: fc.constantFrom<Effect>(
      ...(["works", "works", "fails", "silences", "fails elsewhere", "fails late", "is refused"] as const),
    ),
  }),
  fc.record({ kind: fc.constant("nodes" as const), cluster }),
  fc.record({
    kind: fc.constant("look" as const),
    cluster,
    process: fc.nat(1),
    full: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    stopAfter: fc.option(fc.nat(6), { nil: undefined, freq: 4 }),
  }),
  fc.record({
    kind: fc.constant("pause" as const),
    cluster,
    process: fc.nat(1),
    before: fc.nat(4),
  }),
  fc.record({ kind: fc.constant("wake" as const) }),
  fc.record({ kind: fc.constant("return" as const), cluster }),
  fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 6 }) }),
)

const rarely = fc.oneof(
  fc.record({
    kind: fc.constantFrom("kill" as const, "revive" as const, "deafen" as const, "hear" as const),
    cluster,
    node,
  }),
  fc.record({
    kind: fc.constantFrom(
      "away" as const,
      "back" as const,
      "back" as const,
      "lose" as const,
      "backup" as const,
      "restore" as const,
      "restart" as const,
      "collect" as const,
      "collect" as const,
    ),
    cluster,
  }),
  fc.record({
    kind: fc.constantFrom(
      "release" as const,
      "hold" as const,
      "lift" as const,
      "promote" as const,
      "skip" as const,
    ),
    cluster,
  }),
  fc.record({ kind: fc.constant("rewind" as const), cluster, commits: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ kind: fc.constant("policy" as const) }),
)

export function rolloutSchedules(): fc.Arbitrary<RolloutSchedule> {
  return fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    newer: fc.constantFrom("finish", "restart"),
    onFailure: fc.constantFrom("return", "return", "stop"),
    healthy: fc.constantFrom("100%", "60%"),
    labels: fc.boolean(),
    dies: fc.boolean(),
    ops: fc.array(fc.oneof({ weight: 7, arbitrary: often }, { weight: 1, arbitrary: rarely }), {
      minLength: 5,
      maxLength: 60,
    }),
    // Last, so that the schedules of a seed stay what they were before it.
    unknown: fc.constantFrom(0, 0, 3, 2),
  })
}
