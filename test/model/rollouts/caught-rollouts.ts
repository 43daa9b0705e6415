import type { RolloutOp, RolloutSchedule } from "./rollout-schedule.ts"

// Schedules that once broke a rule, in code or model, each shrunk to what it takes.

const look = { kind: "look", process: 0, full: true, stopAfter: undefined } as const
const SIMPLE = { newer: "finish", onFailure: "return", healthy: "100%", labels: false, dies: false } as const

function schedule(sizes: number[], ops: RolloutOp[], policy: Partial<RolloutSchedule> = {}): RolloutSchedule {
  return { ...SIMPLE, sizes, ops, ...policy }
}

/** So many seconds of the first cluster, in which nothing goes wrong. */
function seconds(count: number): RolloutOp[] {
  const second: RolloutOp[] = [
    { kind: "wait", seconds: 1 },
    { kind: "nodes", cluster: 0 },
    { ...look, full: false, cluster: 0 },
  ]
  return Array.from({ length: count }, () => second).flat()
}

export const CAUGHT: { readonly [rule: string]: RolloutSchedule } = {
  "a cluster that was rewound beyond a rollout, and released, holds it up no longer": schedule(
    [1, 1, 1],
    [
      { kind: "commit", effect: "works" },
      { kind: "pause", cluster: 1, process: 0, before: 0 },
      { kind: "commit", effect: "works" },
      { ...look, cluster: 0 },
      { kind: "commit", effect: "works" },
      { kind: "rewind", cluster: 0, commits: 1 },
      { kind: "wait", seconds: 1 },
    ],
  ),
  "a node shows what failed there once an operator promotes it": schedule(
    [1, 1, 1],
    [
      { kind: "commit", effect: "fails elsewhere" },
      { ...look, cluster: 1 },
      { kind: "wait", seconds: 1 },
      { ...look, cluster: 0 },
      { ...look, cluster: 0 },
      { kind: "nodes", cluster: 0 },
      { kind: "promote", cluster: 1 },
    ],
  ),
  "a target that the baseline refuses is what it was before a candidate that failed late": schedule(
    [2],
    [
      { kind: "commit", effect: "works" },
      ...seconds(20),
      { kind: "commit", effect: "works" },
      ...seconds(20),
      { kind: "commit", effect: "fails late" },
      ...seconds(20),
    ],
    { unknown: 2 },
  ),
  "a lost record leaves what was begun there for what its targets show": schedule(
    [1],
    [
      { kind: "lose", cluster: 0 },
      { ...look, cluster: 0, stopAfter: 1 },
      { kind: "commit", effect: "is refused" },
      { kind: "wait", seconds: 1 },
      { kind: "commit", effect: "works" },
      { kind: "rewind", cluster: 0, commits: 1 },
    ],
  ),
  "settings that were replaced and put back are those that a rollout began under": schedule(
    [1],
    [
      { kind: "policy" },
      { kind: "commit", effect: "works" },
      { ...look, full: false, cluster: 0 },
      { kind: "nodes", cluster: 0 },
      { kind: "policy" },
      { kind: "policy" },
    ],
  ),
  "a target that the baseline refuses waits while a rollout that failed elsewhere leads back to it": schedule(
    [1, 1],
    [
      { kind: "commit", effect: "works" },
      { kind: "commit", effect: "works" },
      { kind: "nodes", cluster: 0 },
      { kind: "release", cluster: 0 },
      { kind: "pause", cluster: 1, process: 0, before: 0 },
      { kind: "commit", effect: "fails elsewhere" },
      { kind: "wake" },
    ],
    { onFailure: "stop", unknown: 2 },
  ),
  "a rewind that a gate refused, and that was released, holds up no rollout": schedule(
    [1, 1, 1],
    [
      { kind: "commit", effect: "works" },
      { ...look, cluster: 1 },
      { kind: "commit", effect: "is refused" },
      { kind: "commit", effect: "works" },
      { kind: "commit", effect: "works" },
      { kind: "rewind", cluster: 0, commits: 2 },
      { kind: "pause", cluster: 0, process: 0, before: 0 },
      { kind: "return", cluster: 0 },
      { kind: "release", cluster: 1 },
      { kind: "return", cluster: 0 },
      { kind: "commit", effect: "works" },
    ],
  ),
  "a node that fell silent with a candidate goes on to show it while that is tried again": schedule(
    [1, 1],
    [
      { kind: "wait", seconds: 7 },
      { kind: "commit", effect: "silences" },
      { ...look, cluster: 1 },
      { kind: "wait", seconds: 5 },
      { kind: "nodes", cluster: 0 },
      { kind: "wake" },
      { kind: "rewind", cluster: 0, commits: 1 },
      { kind: "wait", seconds: 3 },
      { kind: "policy" },
    ],
  ),
}
