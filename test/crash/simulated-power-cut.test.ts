import type { Disk } from "@headrace/agent/publish/disk"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision, RevisionFile } from "@headrace/agent/publish/revision"
import { describe, expect, it } from "vitest"
import { type ProjectionOptions, projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { randomNumbers } from "./random-numbers.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { type SimulatedDisk, type Survival, simulateDisk } from "./simulated-disk.ts"
import { wrapDisk } from "./wrap-disk.ts"

const PATH = "/deep/shown"
type Layout = NonNullable<ProjectionOptions["layout"]>
const LONG = process.env.HEADRACE_CRASH === "long"
const RANDOM_CUTS = LONG ? 40 : 3

/** What a cut spares: nothing, all names but no data (what ext4 does to files nobody synced), or any part. */
function survivals(index: number): [string, Survival][] {
  const fixed: [string, Survival][] = [
    ["nothing", { choose: () => false }],
    ["names without data", { choose: (what) => what === "names" }],
  ]
  const random = Array.from({ length: RANDOM_CUTS }, (_, number): [string, Survival] => {
    const next = randomNumbers(index * 1000 + number)
    return [`any part, seed ${index * 1000 + number}`, { choose: () => next() < 0.5 }]
  })
  return [...fixed, ...random]
}

/** Where what is shown can be read; undefined when nothing is. */
function shownDirectory(
  disk: Disk,
  layout: Layout,
): { directory: string; id: string | undefined } | undefined {
  if (layout === "exchange") {
    const identity = `${PATH}/..revision.json`
    if (!disk.look(PATH)) return undefined
    return { directory: PATH, id: disk.look(identity) && JSON.parse(disk.read(identity).toString()).revision }
  }
  const target = disk.readLink(`${PATH}/..data`)
  return target === undefined ? undefined : { directory: `${PATH}/${target}`, id: target.split("/").at(-1) }
}

/** The index of the revision that is shown, -1 for none, `torn` for anything that is not one of them, whole. */
async function shownOn(disk: Disk, revisions: readonly Revision[], layout: Layout): Promise<number | "torn"> {
  if (layout === "file") return await shownFile(disk, revisions)
  const shown = shownDirectory(disk, layout)
  if (!shown) return -1
  const index = revisions.findIndex(({ id }) => id === shown.id)
  const revision = revisions[index]
  if (!revision) return "torn"
  for (const file of revision.files) {
    if (!(await isAt(disk, `${shown.directory}/${file.path}`, file))) return "torn"
  }
  return index
}

async function shownFile(disk: Disk, revisions: readonly Revision[]): Promise<number | "torn"> {
  if (!disk.look(PATH)) return -1
  for (const [index, { files }] of revisions.entries()) {
    if (files[0] && (await isAt(disk, PATH, files[0]))) return index
  }
  return "torn"
}

async function isAt(disk: Disk, path: string, file: RevisionFile): Promise<boolean> {
  const found = disk.look(path)
  if (found?.kind !== "file" || found.mode !== file.mode) return false
  return disk.read(path).equals(await file.read())
}

/** What is wrong after a cut: torn, lost, or no way on. */
async function faultsAfter(disk: SimulatedDisk, acknowledged: number, layout: Layout): Promise<string[]> {
  const revisions = revisionsOf(layout)
  const found = await shownOn(disk, revisions, layout)
  if (found === "torn") return ["torn"]
  if (found < acknowledged) return [`lost: ${acknowledged} was acknowledged, ${found} is shown`]
  const projection = await openProjection(projectionOptions(PATH, { disk, layout, durability: "fsync" }))
  const recovered = await shownOn(disk, revisions, layout)
  const next = revisionOf(99, layout === "file" ? { tool: "after" } : { a: "after", "d/b": "same" })
  await projection.publish(next)
  await projection.close()
  return [
    ...(found !== -1 && recovered !== found ? [`recovery turned ${found} into ${recovered}`] : []),
    ...((await shownOn(disk, [next], layout)) === 0 ? [] : ["the next publish does not show"]),
  ]
}

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
