import { it } from "@headrace/test/harness/fixtures"
import { expect } from "vitest"
import { readHoldUp, saveHoldUp } from "./rollout-hold-up.ts"

it("keeps what a rollout waits for, within bounds and for seconds, whatever was in its place", async ({
  lanes,
}) => {
  const many = Array.from({ length: 30 }, (_, node) => `node n${node}: ${"slow ".repeat(100)}`)
  await lanes.redis.hset(lanes.key("hold-up", "east", "release"), "another", "program's")
  expect(await readHoldUp(lanes, "east", "release")).toEqual([])
  await saveHoldUp(lanes, "east", "release", many)
  const kept = await readHoldUp(lanes, "east", "release")
  expect([kept.length, kept[0]]).toEqual([20, many[0]?.slice(0, 300)])
  expect(await lanes.redis.pttl(lanes.key("hold-up", "east", "release"))).toBeGreaterThan(0)
  expect(await readHoldUp(lanes, "west", "release")).toEqual([])
  await saveHoldUp(lanes, "east", "release", [])
  expect(await readHoldUp(lanes, "east", "release")).toEqual([])
  await lanes.redis.set(lanes.key("hold-up", "east", "release"), "{")
  expect(await readHoldUp(lanes, "east", "release")).toEqual([])
})
