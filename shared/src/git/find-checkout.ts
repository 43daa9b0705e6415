import { realpath, stat } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"

/** A path as the checkout that holds it knows it. */
export interface PlaceInCheckout {
  /** The top folder of the work tree, links resolved. */
  top: string
  /** From there, with `/` between parts; empty for the top itself. */
  path: string
}

/** The checkout that a file or folder lies in: the nearest folder upwards that has `.git`; undefined when none has. */
export async function findCheckout(place: string): Promise<PlaceInCheckout | undefined> {
  const real = await realpath(place).catch(() => undefined)
  if (real === undefined) return undefined
  for (let top = real; ; top = dirname(top)) {
    if (await exists(join(top, ".git"))) return { top, path: relative(top, real).split(sep).join("/") }
    if (dirname(top) === top) return undefined
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
