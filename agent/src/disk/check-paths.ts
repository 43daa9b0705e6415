import { HeadraceError } from "@headrace/shared/foundation/errors"
import { foldersOf } from "@headrace/shared/foundation/folders-of"

/** PATH_MAX and NAME_MAX of Linux, in bytes. */
const PATH_LIMIT = 4096
const ELEMENT_LIMIT = 255

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/**
 * Checks the paths of a revision: AtomicWriter's rules (relative, no `..` element, no first element that
 * starts with `..`, 4096 and 255 bytes), and beyond them no NUL, no unclean path, no path twice, no file where
 * another path needs a directory, none of `reserved` (names that the layout itself uses at the top).
 *
 * Throws `publish/bad-path` that names the first offender.
 */
export function checkPaths(paths: Iterable<string>, reserved: readonly string[]): void {
  const files = new Set<string>()
  for (const path of paths) {
    const fault = pathFault(path, reserved)
    if (fault) throw badPath(path, fault)
    if (files.has(path)) throw badPath(path, "it is there twice")
    files.add(path)
  }
  for (const path of files) {
    for (const folder of foldersOf(path)) {
      if (files.has(folder)) throw badPath(path, `${JSON.stringify(folder)} is a file`)
    }
  }
}

/** True for an id that can be the name of a directory in every layout. */
export function isRevisionId(id: string): boolean {
  return ID.test(id)
}

/** Throws `publish/bad-revision` when an id cannot be the name of a directory in every layout. */
export function checkRevisionId(id: string): void {
  if (isRevisionId(id)) return
  throw new HeadraceError("publish/bad-revision", `${JSON.stringify(id)} cannot name a revision`, {
    hint: "Use up to 200 letters, digits, dots, dashes and underscores, a letter or digit first.",
  })
}

/** Why a path cannot be published, in words; undefined when it can. `reserved`: first elements that are taken. */
export function pathFault(path: string, reserved: readonly string[]): string | undefined {
  if (path === "") return "it is empty"
  if (path.includes("\0")) return "it holds a NUL"
  if (!path.isWellFormed()) return "it is no valid Unicode"
  if (path.startsWith("/")) return "it is absolute"
  if (Buffer.byteLength(path) > PATH_LIMIT) return `it is longer than ${PATH_LIMIT} bytes`
  const elements = path.split("/")
  if (elements[0]?.startsWith("..")) return 'it starts with ".."'
  if (elements[0] !== undefined && reserved.includes(elements[0])) return "its first element is reserved"
  return elements.map(elementFault).find((fault) => fault !== undefined)
}

function elementFault(element: string): string | undefined {
  if (element === "") return "an element is empty"
  if (element === "." || element === "..") return `it has the element "${element}"`
  if (Buffer.byteLength(element) > ELEMENT_LIMIT) return `an element is longer than ${ELEMENT_LIMIT} bytes`
  return undefined
}

function badPath(path: string, fault: string): HeadraceError {
  return new HeadraceError("publish/bad-path", `cannot publish ${JSON.stringify(path)}: ${fault}`, {
    hint: "Rename the file, or change the rule that gives this path; nothing was written.",
    fields: { path },
  })
}
