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
  const named = await readRegular(join(own, "commondir"))
  const common = named === undefined ? own : resolve(own, named.trim())
  const hasObjects = await stat(join(common, "objects")).then(
    () => true,
    () => false,
  )
  return hasObjects && (await isRegular(join(own, "HEAD"))) ? { own, common } : undefined
}

/** True for a file of bytes, also behind a link. A checkout of another user may hold a pipe, which to read never ends. */
export async function isRegular(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isFile() ?? false
}

/** A file's text; undefined when it cannot be read, or is no file of bytes. */
export async function readRegular(place: string): Promise<string | undefined> {
  if (!(await isRegular(place))) return undefined
  return readFile(place, "utf8").catch(() => undefined)
}

/** `.git` itself, or the folder that it names as a file: gitrepository-layout(5), "gitdir: PATH". */
async function ownFolder(place: string): Promise<string | undefined> {
  const found = await stat(place).catch(() => undefined)
  if (found?.isDirectory()) return place
  const text = (await readRegular(place)) ?? ""
  const named = /^gitdir: (.+)/.exec(text)?.[1]
  return named === undefined ? undefined : resolve(place, "..", named)
}
