import type { Disk } from "@headrace/agent/disk/disk"
import { describe, expect, it } from "vitest"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { faultsAfter, PATH, survivals } from "./look-at-simulated.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { type SimulatedDisk, simulateDisk } from "./simulated-disk.ts"
import { wrapDisk } from "./wrap-disk.ts"

/** Cuts the power before every operation of the scenario, with several survivals each. Gives cuts and faults. */
async function cutEverywhere(
  options: ProjectionOptions,
  weaken: (disk: SimulatedDisk) => Disk = (disk) => disk,
): Promise<{ cuts: number; faults: string[] }> {
  const { layout = "links" } = options
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
      acknowledged = revisionsOf(layout).indexOf(revision)
    }).catch((error: unknown) => {
      if (!dead) throw error
    })
    for (const [name, survival] of survivals(index)) {
      cuts += 1
      const found = await faultsAfter(simulated.afterCut(survival), acknowledged, layout)
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
    expect((await cutEverywhere({ durability: "none" })).faults.length).toBeGreaterThan(0)
  }, 900_000)

  it("no fsync of files", async () => {
    const { faults } = await cutEverywhere({}, (disk) => withoutSync(disk, (kind) => kind === "file"))
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 900_000)

  it("no fsync of folders", async () => {
    const { faults } = await cutEverywhere({}, (disk) => withoutSync(disk, (kind) => kind === "directory"))
    expect(faults.some((fault) => fault.includes("lost"))).toBe(true)
  }, 900_000)

  it("no fsync of ..rev", async () => {
    const { faults } = await cutEverywhere({}, (disk) =>
      withoutSync(disk, (_kind, path) => path.endsWith("/..rev")),
    )
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 900_000)

  it("no fsync of the projection's folder", async () => {
    const { faults } = await cutEverywhere({}, (disk) =>
      withoutSync(disk, (_kind, path) => /shown(\/\.)?$/.test(path)),
    )
    expect(faults.some((fault) => fault.includes("lost"))).toBe(true)
  }, 900_000)

  it("pruning before the flip", async () => {
    const { faults } = await cutEverywhere({}, pruningFirst)
    expect(faults.some((fault) => fault.includes("torn"))).toBe(true)
  }, 900_000)
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
