import type { Disk } from "@headrace/agent/disk/disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision, RevisionFile } from "@headrace/agent/store/revision"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { randomNumbers } from "./random-numbers.ts"
import { revisionsOf } from "./scenario.ts"
import type { SimulatedDisk } from "./simulated-disk.ts"
import type { Survival } from "./simulated-node.ts"

/** Where the projection of a simulated disk is. */
export const PATH = "/deep/shown"
const RANDOM_CUTS = process.env.HEADRACE_CRASH === "long" ? 40 : 1

/** What a cut spares: nothing, all names but no data (what ext4 does to files nobody synced), or any part. */
export function survivals(index: number): [string, Survival][] {
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

/** What is published after a cut. */
export function nextOf(layout: LayoutName): Revision {
  return revisionOf(99, layout === "file" ? { tool: "after" } : { a: "after", "d/b": "same" })
}

/** Where what is shown can be read; undefined when nothing is. */
function shownDirectory(
  disk: Disk,
  layout: LayoutName,
  path: string,
): { directory: string; id: string | undefined } | undefined {
  if (layout === "exchange") {
    const identity = `${path}/..revision.json`
    if (!disk.look(path)) return undefined
    return { directory: path, id: disk.look(identity) && JSON.parse(disk.read(identity).toString()).revision }
  }
  const target = disk.readLink(`${path}/..data`)
  return target === undefined ? undefined : { directory: `${path}/${target}`, id: target.split("/").at(-1) }
}

/** The index of the revision that is shown, -1 for none, `torn` for anything that is not one of them, whole. */
export async function shownOn(
  disk: Disk,
  revisions: readonly Revision[],
  layout: LayoutName,
  path = PATH,
): Promise<number | "torn"> {
  if (layout === "file") return await shownFile(disk, revisions, path)
  const shown = shownDirectory(disk, layout, path)
  if (!shown) return -1
  const index = revisions.findIndex(({ id }) => id === shown.id)
  const revision = revisions[index]
  if (!revision) return "torn"
  for (const file of revision.files) {
    if (!(await isAt(disk, `${shown.directory}/${file.path}`, file))) return "torn"
  }
  return index
}

async function shownFile(disk: Disk, revisions: readonly Revision[], path: string): Promise<number | "torn"> {
  if (!disk.look(path)) return -1
  for (const [index, { files }] of revisions.entries()) {
    if (files[0] && (await isAt(disk, path, files[0]))) return index
  }
  return "torn"
}

async function isAt(disk: Disk, path: string, file: RevisionFile): Promise<boolean> {
  const found = disk.look(path)
  if (found?.kind !== "file" || found.mode !== file.mode) return false
  return disk.read(path).equals(await file.read())
}

/** What is wrong after a cut: torn, lost, or no way on. */
export async function faultsAfter(
  disk: SimulatedDisk,
  acknowledged: number,
  layout: LayoutName,
): Promise<string[]> {
  const revisions = revisionsOf(layout)
  const found = await shownOn(disk, revisions, layout)
  if (found === "torn") return ["torn"]
  if (found < acknowledged) return [`lost: ${acknowledged} was acknowledged, ${found} is shown`]
  const projection = await openProjection(projectionOptions(PATH, { disk, layout, durability: "fsync" }))
  const recovered = await shownOn(disk, revisions, layout)
  const next = nextOf(layout)
  await projection.publish(next)
  await projection.close()
  return [
    ...(found !== -1 && recovered !== found ? [`recovery turned ${found} into ${recovered}`] : []),
    ...((await shownOn(disk, [next], layout)) === 0 ? [] : ["the next publish does not show"]),
  ]
}
