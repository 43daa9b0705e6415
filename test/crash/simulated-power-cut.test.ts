import type { Disk } from "@headrace/agent/publish/disk"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision } from "@headrace/agent/publish/revision"
import { describe, expect, it } from "vitest"
import { type ProjectionOptions, projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { publishAll, REVISIONS } from "./scenario.ts"
import { type SimulatedDisk, type Survival, simulateDisk } from "./simulated-disk.ts"
import { wrapDisk } from "./wrap-disk.ts"

const PATH = "/deep/shown"
const LONG = process.env.HEADRACE_CRASH === "long"
const RANDOM_CUTS = LONG ? 40 : 3

/** What a cut spares: nothing, all names but no data (what ext4 does to files nobody synced), or any part. */
function survivals(index: number): [string, Survival][] {
  const fixed: [string, Survival][] = [
    ["nothing", { choose: () => false }],
    ["names without data", { choose: (what) => what === "names" }],
  ]
  const random = Array.from({ length: RANDOM_CUTS }, (_, number): [string, Survival] => {
    const next = generator(index * 1000 + number)
    return [`any part, seed ${index * 1000 + number}`, { choose: () => next() < 0.5 }]
  })
  return [...fixed, ...random]
}

/** Numbers in [0, 1) from a seed (mulberry32, T. Ettinger, public domain). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The index of the revision that is shown, -1 for none, `torn` for anything that is not one of them, whole. */
async function shownOn(disk: Disk, revisions: readonly Revision[]): Promise<number | "torn"> {
  const target = disk.readLink(`${PATH}/..data`)
  if (target === undefined) return -1
  const index = revisions.findIndex(({ id }) => target.endsWith(`/${id}`))
  const revision = revisions[index]
  if (!revision) return "torn"
  for (const file of revision.files) {
    const found = disk.look(`${PATH}/${target}/${file.path}`)
    if (found?.kind !== "file" || found.mode !== file.mode) return "torn"
    if (!disk.read(`${PATH}/${target}/${file.path}`).equals(await file.read())) return "torn"
  }
  return index
}

/** What is wrong after a cut: torn, lost, or no way on. */
async function faultsAfter(disk: SimulatedDisk, acknowledged: number): Promise<string[]> {
  const found = await shownOn(disk, REVISIONS)
  if (found === "torn") return ["torn"]
  if (found < acknowledged) return [`lost: ${acknowledged} was acknowledged, ${found} is shown`]
  const projection = await openProjection(projectionOptions(PATH, { disk, durability: "fsync" }))
  const recovered = await shownOn(disk, REVISIONS)
  const next = revisionOf(99, { a: "after", "d/b": "same" })
  await projection.publish(next)
  await projection.close()
  return [
    ...(found !== -1 && recovered !== found ? [`recovery turned ${found} into ${recovered}`] : []),
    ...((await shownOn(disk, [next])) === 0 ? [] : ["the next publish does not show"]),
  ]
}

/** Cuts the power before every operation of the scenario, with several survivals each. Gives cuts and faults. */
async function cutEverywhere(
  options: ProjectionOptions,
  weaken: (disk: SimulatedDisk) => Disk = (disk) => disk,
): Promise<{ cuts: number; faults: string[] }> {
  let cuts = 0
  const faults: string[] = []
  for (let index = 0; ; index++) {
    let count = 0
    let dead = false
    let acknowledged = -1
    const simulated = simulateDisk()
    const disk = wrapDisk(
      weaken(simulated),
      () => {
        if (count++ !== index) return
        dead = true
        throw new Error("the power is off")
      },
      () => dead,
    )
    await publishAll(PATH, { ...options, disk }, (revision) => {
      acknowledged = REVISIONS.indexOf(revision)
    }).catch((error: unknown) => {
      if (!dead) throw error
    })
    for (const [name, survival] of survivals(index)) {
      cuts += 1
      const found = await faultsAfter(simulated.afterCut(survival), acknowledged)
      faults.push(...found.map((fault) => `operation ${index}, ${name} survives: ${fault}`))
    }
    if (!dead) return { cuts, faults }
  }
}

const VARIANTS: [string, ProjectionOptions][] = [
  ["fsync, a clone staged", { durability: "fsync" }],
  ["fsync, no clone", { durability: "fsync", prestage: false }],
  ["syncfs", { durability: "syncfs" }],
  ["auto", { durability: "auto" }],
]

describe("a power cut before every operation, on a disk that keeps no more than POSIX promises", () => {
  it.each(VARIANTS)(
    "tears nothing, loses nothing, and lets publishing go on (%s)",
    async (_name, options) => {
      const { cuts, faults } = await cutEverywhere(options)

      expect(faults).toEqual([])
      expect(cuts).toBeGreaterThan(500)
    },
    300_000,
  )
})

describe("negative controls: a publisher that leaves out a step fails the same test", () => {
  it("no sync at all", async () => {
    expect((await cutEverywhere({ durability: "none" })).faults.length).toBeGreaterThan(0)
  }, 300_000)

  it("no fsync of files", async () => {
    const { faults } = await cutEverywhere({}, (disk) => withoutSync(disk, (kind) => kind === "file"))
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 300_000)

  it("no fsync of folders", async () => {
    const { faults } = await cutEverywhere({}, (disk) => withoutSync(disk, (kind) => kind === "directory"))
    expect(faults.some((fault) => fault.includes("lost"))).toBe(true)
  }, 300_000)

  it("no fsync of ..rev", async () => {
    const { faults } = await cutEverywhere({}, (disk) =>
      withoutSync(disk, (_kind, path) => path.endsWith("/..rev")),
    )
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 300_000)

  it("no fsync of the projection's folder", async () => {
    const { faults } = await cutEverywhere({}, (disk) =>
      withoutSync(disk, (_kind, path) => /shown(\/\.)?$/.test(path)),
    )
    expect(faults.some((fault) => fault.includes("lost"))).toBe(true)
  }, 300_000)

  it("pruning before the flip", async () => {
    const { faults } = await cutEverywhere({}, pruningFirst)
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 300_000)
})

function withoutSync(
  disk: SimulatedDisk,
  isLeftOut: (kind: string | undefined, path: string) => boolean,
): Disk {
  return {
    ...disk,
    sync: async (handle) => {
      if (!isLeftOut(disk.look(disk.within(handle))?.kind, handle.path)) await disk.sync(handle)
    },
  }
}

/** Takes the revision that is shown out of the store before the link moves away from it. */
function pruningFirst(disk: SimulatedDisk): Disk {
  return {
    ...disk,
    symlink: (target, path) => {
      disk.symlink(target, path)
      const shown = disk.readLink(`${PATH}/..data`)
      const slot = shown && /^..rev\/\d+/.exec(shown)?.[0]
      if (target.startsWith("..rev/") && slot)
        disk.rename(`${PATH}/${slot}`, `${PATH}/..rev/.trash-early-${path.slice(-6)}`)
    },
  }
}
