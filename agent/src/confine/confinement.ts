import { realpath, stat } from "node:fs/promises"
import { dirname } from "node:path"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { type WritablePlace, writablePlaces } from "./writable-places.ts"

/** What a confined process can write beneath. Rules of Landlock are of inodes, not of paths. */
export interface Grants {
  /** `DEVICE:INODE` of each folder. */
  inodes: string[]
  /** Paths of the settings that could not be opened when the process confined itself. */
  unreached: string[]
}

/** How the writes of this process are confined. */
export interface Confinement {
  isConfined: boolean
  /** Why it is not; undefined: it is. */
  why?: string | undefined
  /** Places that these settings write to and that this process cannot, for as long as it lives. */
  lacking(settings: AgentSettings): Promise<string[]>
}

export function notConfined(why: string): Confinement {
  return {
    isConfined: false,
    why,
    lacking: async () => [],
  }
}

export function confinedTo(grants: Grants): Confinement {
  const inodes = new Set(grants.inodes)
  const unreached = new Set(grants.unreached)

  async function isLacking({ path, kind }: WritablePlace): Promise<boolean> {
    if (kind === "file" || (await isBeneath(path, inodes))) return false
    // What was not there at the start is no news until it is.
    return !unreached.has(path) || (await inodeOf(path)) !== undefined
  }

  return {
    isConfined: true,
    async lacking(settings) {
      const places = writablePlaces(settings)
      const areLacking = await Promise.all(places.map(isLacking))
      return places.filter((_, index) => areLacking[index]).map(({ path }) => path)
    },
  }
}

/** `DEVICE:INODE` of a folder; undefined where there is none. */
export async function inodeOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true })
    return found.isDirectory() ? `${found.dev}:${found.ino}` : undefined
  } catch {
    return undefined
  }
}

/** Whether a path, or the nearest folder above it that is there, is one of these folders or in one. */
async function isBeneath(path: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined) return dirname(path) !== path && isBeneath(dirname(path), inodes)
  for (let folder = real; ; folder = dirname(folder)) {
    const inode = await inodeOf(folder)
    if (inode !== undefined && inodes.has(inode)) return true
    if (dirname(folder) === folder) return false
  }
}
