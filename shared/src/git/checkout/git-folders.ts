import { readFile, stat } from "node:fs/promises"
import { join, resolve } from "node:path"

/** Where git keeps what belongs to a checkout: gitrepository-layout(5). */
export interface GitFolders {
  /** HEAD and the index: the checkout's own. */
  own: string
  /** Objects, branches and tags: shared by all work trees of the repository. */
  common: string
}

/**
 * The folders of the checkout whose top folder this is, read from the disk without running git: asking git would have
 * it read the checkout's configuration. Undefined when `.git` is none of a repository.
 */
export async function gitFolders(top: string): Promise<GitFolders | undefined> {
  const own = await ownFolder(join(top, ".git"))
  if (own === undefined) return undefined
  const named = await readFile(join(own, "commondir"), "utf8").catch(() => undefined)
  const common = named === undefined ? own : resolve(own, named.trim())
  const parts = [join(own, "HEAD"), join(common, "objects")]
  const found = await Promise.all(parts.map(exists))
  return found.every(Boolean) ? { own, common } : undefined
}

/** `.git` itself, or the folder that it names as a file: gitrepository-layout(5), "gitdir: PATH". */
async function ownFolder(place: string): Promise<string | undefined> {
  const found = await stat(place).catch(() => undefined)
  if (found?.isDirectory()) return place
  const text = found?.isFile() ? await readFile(place, "utf8").catch(() => "") : ""
  const named = /^gitdir: (.+)/.exec(text)?.[1]
  return named === undefined ? undefined : resolve(place, "..", named)
}

function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    () => false,
  )
}
