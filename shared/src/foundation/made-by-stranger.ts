import { dirname } from "node:path"

const FOR_ALL = 0o002

/** Of what is at a path: its permission bits and who owns it. */
interface Owned {
  mode: number
  uid: number
}

/**
 * The part of an absolute path, itself or a folder or link above it, that a user who is not trusted has made where
 * everybody can make one: that user can put anything in its place, whatever lies below. `look` follows no link in the
 * last element (lstat(2)). Undefined: there is none.
 */
export function madeByStranger(
  path: string,
  look: (path: string) => Owned | undefined,
  isTrusted: (uid: number) => boolean,
): { path: string; uid: number } | undefined {
  for (let place = path; place !== dirname(place); place = dirname(place)) {
    const found = look(place)
    const above = look(`${dirname(place)}/.`)
    if (found === undefined || above === undefined || (above.mode & FOR_ALL) === 0) continue
    if (!isTrusted(found.uid)) return { path: place, uid: found.uid }
  }
  return undefined
}
