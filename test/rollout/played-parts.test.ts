import { join } from "node:path"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { NODES } from "./fleet-plan.ts"
import type { PlayedGroup, Returned } from "./play-group.ts"
import { nextGroup, type Played, readPlayed, violationsOf, writePlayed } from "./played-parts.ts"

function groupOf(group: number, bad: Partial<Returned> = {}, violations: string[] = []): PlayedGroup {
  return {
    group,
    good: { fault: undefined, stage: undefined },
    bad: [
      { state: "bad in the first stage", fault: "a worker killed", took: 9000, reached: 2, outside: 0 },
      { state: "bad in the second stage", fault: undefined, took: 900, reached: 4, outside: 0, ...bad },
    ],
    violations,
  }
}

const SOUND: Played = {
  parts: 1,
  seconds: 60,
  groups: [groupOf(0), groupOf(1)],
  stale: [{ wasOpen: true, violations: [] }],
  controls: [NODES.length, NODES.length],
  returned: [],
  ends: [],
}

it("goes on where the last part of a run ended", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "summary.json")
    expect(nextGroup(await readPlayed(file))).toBe(0)
    await writePlayed(file, SOUND)
    expect(nextGroup(await readPlayed(file))).toBe(2)
    expect(violationsOf(await readPlayed(file))).toEqual([])
  })
})

it.each<[string, Partial<Played>, RegExp]>([
  [
    "a node outside of its stage",
    { groups: [groupOf(0, {}, ["node n showed a bad one"])] },
    /^group 0: node n/,
  ],
  ["a slow return without a fault", { groups: [groupOf(0, { took: 5001 })] }, /p99 .* is 5001 ms/],
  ["a good commit that was returned", { returned: ["node n: its check failed"] }, /good commit was returned/],
  ["silent nodes that passed", { stale: [{ wasOpen: true, violations: ["it passed"] }] }, /it passed/],
  ["silent nodes whose stage never began", { stale: [{ wasOpen: false, violations: [] }] }, /never open/],
  ["a control that did not reach everybody", { controls: [NODES.length - 1] }, /1 commits without checks/],
  ["a part that could not go on", { ends: ["not within 300 s"] }, /not within/],
])("names %s", (_what, change, named) => {
  const found = violationsOf({ ...SOUND, ...change })
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(named)
})
