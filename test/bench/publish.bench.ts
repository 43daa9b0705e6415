import { join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "../harness/with-folder.ts"
import { openAtomicDir } from "./peers/atomic-dir.ts"
import { openAtomicWriter } from "./peers/atomic-writer.ts"
import { openGitWorktree } from "./peers/git-worktree.ts"
import { openKubelet } from "./peers/kubelet.ts"
import { bumped, type Payload, type Peer, payload } from "./peers/payload.ts"
import { quantile } from "./quantile.ts"

const DURABILITIES = ["fsync", "syncfs", "auto", "none"] as const
const EVERY_CASE = [
  { name: "1_of_100", files: 100, changed: 1, rounds: 15 },
  { name: "1_of_5000", files: 5000, changed: 1, rounds: 9 },
  { name: "5000_of_5000", files: 5000, changed: 5000, rounds: 3 },
]
/** HEADRACE_PUBLISH_CASES=1_of_5000 measures that one alone. */
const CASES = EVERY_CASE.filter(
  ({ name }) => process.env.HEADRACE_PUBLISH_CASES?.split(",").includes(name) ?? true,
)
/** A program that times the kubelet's own AtomicWriter (peers/kubelet.ts); absent: its steps alone are measured. */
const KUBELET = process.env.HEADRACE_ATOMIC_WRITER
/** Not measured: the first publish of everything, and one that warms caches. */
const WARM_UP = 1

/**
 * Publishes files of 4 KiB with each durability beside the same payload through AtomicWriter's steps (without any
 * sync), atomicdir's steps (fsync of each file and its directory) and `git worktree add`; where HEADRACE_ATOMIC_WRITER
 * names a program that times it, through the kubelet's own AtomicWriter, too. All take turns within a
 * round, since a disk's speed differs between passes by a factor of three. Gives milliseconds `publish_CASE_WHO_ms`,
 * and for each of ours its ratios to the first two and the kubelet's, median and extremes of the rounds.
 */
export async function run(): Promise<Record<string, number>> {
  const results: Record<string, number> = {}
  for (const { name, files, changed, rounds } of CASES) {
    const measured = await withFolder((folder) => measure(folder, payload(files), changed, rounds))
    Object.assign(results, summary(name, measured))
  }
  return results
}

async function measure(
  folder: string,
  first: Payload,
  changed: number,
  rounds: number,
): Promise<Map<string, number[]>> {
  const peers = await openPeers(folder, changed)
  const times = new Map(peers.map(({ name }) => [name, [] as number[]]))
  let current = first
  for (const peer of peers) await peer.publish(current)
  for (let round = 0; round < rounds + WARM_UP; round++) {
    current = bumped(current, changed, round)
    for (const peer of peers) {
      await peer.prepare?.(current)
      const started = performance.now()
      const own = await peer.publish(current)
      const took = own ?? performance.now() - started
      if (round >= WARM_UP) times.get(peer.name)?.push(took)
      await peer.settled?.()
    }
  }
  for (const peer of peers) await peer.close?.()
  return times
}

async function openPeers(folder: string, changed: number): Promise<Peer[]> {
  const ours = await Promise.all(
    DURABILITIES.map((durability) => openOurs(join(folder, durability), durability)),
  )
  return [
    ...ours,
    openAtomicWriter(join(folder, "atomic-writer")),
    openAtomicDir(join(folder, "atomic-dir")),
    openGitWorktree(join(folder, "git")),
    ...(KUBELET ? [openKubelet(KUBELET, join(folder, "kubelet"), changed)] : []),
  ]
}

async function openOurs(path: string, durability: (typeof DURABILITIES)[number]): Promise<Peer> {
  const keep = { revisions: 2, age: 0, bytes: Number.MAX_SAFE_INTEGER }
  const log = createLog("bench", { level: "warn" })
  const projection = await openProjection({ path, layout: "links", durability, keep, log })
  let seq = 0
  return {
    name: durability,
    publish: async (payload) => {
      seq += 1
      await projection.publish({ id: `r${seq}`, token: { epoch: 0, seq }, files: payload.files })
    },
    settled: () => projection.settled(),
    close: () => projection.close(),
  }
}

function summary(name: string, measured: ReadonlyMap<string, number[]>): Record<string, number> {
  const results: Record<string, number> = {}
  for (const [who, times] of measured) {
    const key = `publish_${name}_${who}_ms`
    results[`${key}_p50`] = rounded(quantile(times, 0.5))
    results[`${key}_min`] = rounded(Math.min(...times))
    results[`${key}_max`] = rounded(Math.max(...times))
  }
  for (const durability of DURABILITIES) {
    for (const peer of ["atomic_writer", "atomic_dir", "kubelet"]) {
      if (!measured.has(peer)) continue
      // Round by round, so that a slow moment of the disk weighs on both.
      const ours = measured.get(durability) ?? []
      const theirs = measured.get(peer) ?? []
      const ratios = ours.map((time, round) => (theirs[round] ?? Number.NaN) / time)
      const key = `publish_${name}_${peer}_over_${durability}`
      results[`${key}_p50`] = rounded(quantile(ratios, 0.5))
      results[`${key}_min`] = rounded(Math.min(...ratios))
      results[`${key}_max`] = rounded(Math.max(...ratios))
    }
  }
  return results
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
