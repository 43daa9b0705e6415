import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "../harness/with-folder.ts"
import { createBurstBranch } from "./burst-branch.ts"

export interface MirrorSize {
  bytes: number
  packs: number
  looseObjects: number
}

export interface FetchesResult {
  fetches: number
  first: MirrorSize
  /** The most that was seen of each. */
  most: MirrorSize
  last: MirrorSize
}

const LOOK_EVERY = 20

/**
 * Fetches a branch once for each merge, one after the other without a pause, and looks what that makes of the
 * mirror's disk use.
 */
export function fetchManyTimes(fetches: number): Promise<FetchesResult> {
  return withFolder(async (folder) => {
    const branch = await createBurstBranch(folder, ["any"], fetches)
    const mirrors = join(folder, "mirrors")
    const log = createLog("fetches", { level: "silent" })
    const mirror = await openMirror({ name: "m", url: branch.folder, branch: "main", folder: mirrors, log })
    await mirror.fetch()
    const place = join(mirrors, "m.git")
    const first = await sizeOf(place)
    let most = first
    let last = first
    for (const [position, commit] of branch.commits.entries()) {
      await branch.moveTo(commit)
      const tip = await mirror.fetch()
      if (tip.commit !== commit) throw new Error(`fetched ${tip.commit} in place of ${commit}`)
      if ((position + 1) % LOOK_EVERY !== 0) continue
      last = await sizeOf(place)
      most = largest(most, last)
    }
    await mirror.close()
    await branch.close()
    return { fetches, first, most, last }
  })
}

async function sizeOf(place: string): Promise<MirrorSize> {
  const names = await readdir(place, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(place, name))).size))
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    packs: names.filter((name) => name.endsWith(".pack")).length,
    looseObjects: names.filter((name) => /^objects\/[0-9a-f]{2}\/[0-9a-f]{38}$/.test(name)).length,
  }
}

function largest(a: MirrorSize, b: MirrorSize): MirrorSize {
  return {
    bytes: Math.max(a.bytes, b.bytes),
    packs: Math.max(a.packs, b.packs),
    looseObjects: Math.max(a.looseObjects, b.looseObjects),
  }
}
