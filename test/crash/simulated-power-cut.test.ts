import type { Disk } from "@headrace/agent/disk/disk"
import { describe, expect, it } from "vitest"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { diskState } from "./disk-state.ts"
import { faultsAfter, PATH, survivals } from "./look-at-simulated.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { type SimulatedDisk, simulateDisk } from "./simulated-disk.ts"
import { wrapDisk } from "./wrap-disk.ts"

/**
 * Cuts the power before every operation of the scenario and after the last, with several survivals each. Gives how many
 * cuts there are, and their faults up to the first that is `enough`. Of cuts that leave the same disk, which are half of
 * them, the first is looked at.
 */
async function cutEverywhere(
  options: ProjectionOptions,
  weaken: (disk: SimulatedDisk) => Disk = (disk) => disk,
  enough: (fault: string) => boolean = () => false,
): Promise<{ cuts: number; faults: string[] }> {
  const { layout = "links" } = options
  const simulated = simulateDisk()
  const cuts: { what: string; after: SimulatedDisk; acknowledged: number }[] = []
  let acknowledged = -1
  let index = 0
  function cut(): void {
    for (const [name, survival] of survivals(index)) {
      const what = `operation ${index}, ${name} survives`
      cuts.push({ what, after: simulated.afterCut(survival), acknowledged })
    }
    index += 1
  }
  const disk = wrapDisk(weaken(simulated), cut)
  await publishAll(PATH, { ...options, disk }, (revision) => {
    acknowledged = revisionsOf(layout).indexOf(revision)
  })
  cut()

  const faults: string[] = []
  const known = new Set<string>()
  for (const { what, after, acknowledged } of cuts) {
    const state = `${acknowledged} ${diskState(after)}`
    if (known.has(state)) continue
    known.add(state)
    const found = await faultsAfter(after, acknowledged, layout)
    faults.push(...found.map((fault) => `${what}: ${fault}`))
    if (found.some(enough)) break
  }
  return { cuts: cuts.length, faults }
}

const VARIANTS: [string, ProjectionOptions][] = [
  ["fsync, a clone staged", { durability: "fsync" }],
  ["fsync, no clone", { durability: "fsync", prestage: false }],
  ["syncfs", { durability: "syncfs" }],
  ["auto", { durability: "auto" }],
  ["layout exchange", { layout: "exchange" }],
  ["layout exchange, syncfs, no clone", { layout: "exchange", durability: "syncfs", prestage: false }],
  ["layout file", { layout: "file" }],
]

describe("a power cut before every operation, on a disk that keeps no more than POSIX promises", () => {
  it.each(VARIANTS)(
    "tears nothing, loses nothing, and lets publishing go on (%s)",
    async (_name, options) => {
      const { cuts, faults } = await cutEverywhere(options)

      expect(faults).toEqual([])
      expect(cuts).toBeGreaterThan(300)
    },
    900_000,
  )
})

describe("negative controls: a publisher that leaves out a step fails the same test", () => {
  it("no sync at all", async () => {
    const { faults } = await cutEverywhere({ durability: "none" }, undefined, () => true)
    expect(faults.length).toBeGreaterThan(0)
  }, 900_000)

  it("no fsync of files", async () => {
    const weaken = (disk: SimulatedDisk) => withoutSync(disk, (kind) => kind === "file")
    const { faults } = await cutEverywhere({}, weaken, isTorn)
    expect(faults.some(isTorn)).toBe(true)
  }, 900_000)

  it("no fsync of folders", async () => {
    const weaken = (disk: SimulatedDisk) => withoutSync(disk, (kind) => kind === "directory")
    const { faults } = await cutEverywhere({}, weaken, isLost)
    expect(faults.some(isLost)).toBe(true)
  }, 900_000)

  it("no fsync of ..rev", async () => {
    const weaken = (disk: SimulatedDisk) => withoutSync(disk, (_kind, path) => path.endsWith("/..rev"))
    const { faults } = await cutEverywhere({}, weaken, isTorn)
    expect(faults.some(isTorn)).toBe(true)
  }, 900_000)

  it("no fsync of the projection's folder", async () => {
    const weaken = (disk: SimulatedDisk) => withoutSync(disk, (_kind, path) => /shown(\/\.)?$/.test(path))
    const { faults } = await cutEverywhere({}, weaken, isLost)
    expect(faults.some(isLost)).toBe(true)
  }, 900_000)

  it("pruning before the flip", async () => {
    const { faults } = await cutEverywhere({}, pruningFirst, isTorn)
    expect(faults.some(isTorn)).toBe(true)
  }, 900_000)
})

function isTorn(fault: string): boolean {
  return fault.includes("torn")
}

function isLost(fault: string): boolean {
  return fault.includes("lost")
}

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
