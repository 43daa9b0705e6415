import { join } from "node:path"
import type { Disk } from "@headrace/agent/disk/disk"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import type { ProjectionOptions } from "../../harness/with-projection.ts"
import { lookAtProjection, recoverAndPublish } from "../check-projection.ts"
import { randomNumbers } from "../random-numbers.ts"
import { publishAll, revisionsOf } from "../scenario.ts"
import { type BlockEvent, survivingWrites } from "./block-log.ts"
import type { RecordedDisk } from "./with-recorded-disk.ts"

/** A power cut after so many events; `seed` chooses what of the unflushed survives, none: all that had arrived. */
export interface Cut {
  length: number
  seed?: number
}

/** Publishes the scenario onto a recorded disk, a mark for each revision that was acknowledged. */
export async function recordScenario(
  disk: RecordedDisk,
  options: ProjectionOptions,
  weaken: (disk: Disk) => Disk = (same) => same,
): Promise<BlockEvent[]> {
  return await disk.record(async (path, mark) => {
    await publishAll(join(path, "shown"), { ...options, disk: weaken(openNodeDisk()) }, ({ id }) => mark(id))
  })
}

/**
 * Every cut of a recording, from the mount on: after each event with all that had arrived, and `seeds` times with
 * any part of what was not flushed.
 */
export function everyCut(events: readonly BlockEvent[], seeds: number): Cut[] {
  const cuts: Cut[] = []
  let unflushed = 0
  for (let length = 0; length <= events.length; length++) {
    const last = events[length - 1]
    if (last?.kind === "flush") unflushed = 0
    if (last?.kind === "write") unflushed += 1
    cuts.push({ length })
    if (unflushed === 0) continue
    for (let seed = 1; seed <= seeds; seed++) cuts.push({ length, seed: length * 1000 + seed })
  }
  return cuts
}

/** What a cut breaks: a revision torn or lost, or no way on. Empty when all promises hold. */
export async function faultsOfCut(
  disk: RecordedDisk,
  events: readonly BlockEvent[],
  { length, seed }: Cut,
  options: ProjectionOptions,
): Promise<string[]> {
  const revisions = revisionsOf(options.layout)
  const next = seed === undefined ? undefined : randomNumbers(seed)
  const pieces = survivingWrites(events, length, () => next === undefined || next() < 0.5)
  const acknowledged = events.slice(0, length).filter(({ kind }) => kind === "mark").length - 1
  return await disk.restore(pieces, async (folder) => {
    const path = join(folder, "shown")
    const found = await lookAtProjection(path, revisions, options)
    if (found === "torn") return ["torn"]
    if ((found === "nothing" ? -1 : found) < acknowledged)
      return [`lost: ${acknowledged} was acknowledged, ${found} is shown`]
    return await recoverAndPublish(path, revisions, found, { ...options, durability: "fsync" })
  })
}
