import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Durability } from "@headrace/agent/store/make-durable"
import { createLog } from "@headrace/shared/observe/log"
import { FILE_SYSTEMS, makeImage, mountImage, powerCutMissing, unmount } from "../crash/power/file-systems.ts"
import { withFolder } from "../harness/with-folder.ts"
import { bumped, type Payload, payload } from "./peers/payload.ts"
import { quantile } from "./quantile.ts"

const COUNTS = [1, 16, 32, 64, 128, 256, 1000, 5000]
/** The more files, the fewer rounds. */
const ROUNDS = [
  [64, 9],
  [256, 5],
  [1000, 3],
] as const
const IMAGE_BYTES = 768 * 2 ** 20
/** What another process has written and not synced, on the busy file system, before each publish. */
const UNSYNCED = Buffer.alloc(20 * 2 ** 20, "x")
const WAYS = ["fsync", "syncfs"] as const

/**
 * How long publishing takes by the number of new files of 4 KiB, with an fsync of each and with one syncfs, on the
 * disk's own file system and on ext4, xfs and btrfs on loop devices over it; and on each again while another process
 * leaves 20 MB unsynced before each publish (`busy`). Both ways take turns. Gives medians in milliseconds, and the
 * ratio of syncfs to fsync, the median of the rounds: `auto` takes the way that the ratio favours.
 */
export async function run(): Promise<Record<string, number>> {
  const results: Record<string, number> = {}
  await withFolder(async (folder) => {
    Object.assign(results, await measureBoth("disk", folder))
    for (const type of FILE_SYSTEMS) {
      const missing = powerCutMissing(type)
      if (missing) process.stdout.write(`  ${type} is left out: ${missing}\n`)
      else Object.assign(results, await onLoopDevice(folder, type))
    }
  })
  return results
}

async function onLoopDevice(
  folder: string,
  type: (typeof FILE_SYSTEMS)[number],
): Promise<Record<string, number>> {
  const [image, mountPoint] = [join(folder, `${type}.image`), join(folder, type)]
  makeImage(type, image, IMAGE_BYTES)
  mkdirSync(mountPoint)
  mountImage(image, mountPoint)
  try {
    return await measureBoth(type, mountPoint)
  } finally {
    unmount(mountPoint)
  }
}

async function measureBoth(name: string, folder: string): Promise<Record<string, number>> {
  return {
    ...(await measure(`${name}_quiet`, folder, () => undefined)),
    ...(await measure(`${name}_busy`, folder, () => leaveUnsynced(join(folder, "somebody")))),
  }
}

/** A new file each time: ext4 writes one out at once that takes another's place (auto_da_alloc). */
function leaveUnsynced(file: string): void {
  rmSync(file, { force: true })
  writeFileSync(file, UNSYNCED)
}

async function measure(name: string, folder: string, before: () => void): Promise<Record<string, number>> {
  const results: Record<string, number> = {}
  for (const count of COUNTS) {
    const times = await timesOf(join(folder, `${name}-${count}`), count, before)
    const ratios = times.syncfs.map((time, round) => time / (times.fsync[round] ?? Number.NaN))
    for (const way of WAYS) results[`durability_${name}_${count}_${way}_ms`] = quantile(times[way], 0.5)
    results[`durability_${name}_${count}_syncfs_over_fsync`] = quantile(ratios, 0.5)
  }
  return results
}

async function timesOf(
  folder: string,
  count: number,
  before: () => void,
): Promise<Record<(typeof WAYS)[number], number[]>> {
  const publishers = {
    fsync: await openPublisher(folder, "fsync"),
    syncfs: await openPublisher(folder, "syncfs"),
  }
  const times: Record<(typeof WAYS)[number], number[]> = { fsync: [], syncfs: [] }
  let current = payload(count)
  const rounds = ROUNDS.find(([most]) => count <= most)?.[1] ?? 1
  // The first round, which makes folders and fills caches, does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const way of WAYS) {
      before()
      const took = await publishers[way].publish(current)
      if (round > 0) times[way].push(took)
    }
    current = bumped(current, count, round)
  }
  for (const way of WAYS) await publishers[way].close()
  return times
}

async function openPublisher(
  folder: string,
  durability: Durability,
): Promise<{ publish(payload: Payload): Promise<number>; close(): Promise<void> }> {
  const keep = { revisions: 1, age: 0, bytes: Number.MAX_SAFE_INTEGER }
  const log = createLog("bench", { level: "warn" })
  const path = join(folder, durability)
  const projection = await openProjection({ path, layout: "links", durability, keep, log })
  let seq = 0
  return {
    publish: async ({ files }) => {
      seq += 1
      const started = performance.now()
      await projection.publish({ id: `r${seq}`, token: { epoch: 0, seq }, files })
      const took = performance.now() - started
      await projection.settled()
      return took
    },
    close: () => projection.close(),
  }
}
