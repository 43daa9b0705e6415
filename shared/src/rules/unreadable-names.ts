import { GLOBSTAR, type Minimatch } from "minimatch"

/** Shown in place of bytes of a name that are no UTF-8 (the WHATWG Encoding Standard's replacement character). */
const UNREADABLE = "\ufffd"
const UNREADABLE_RUN = /\ufffd+/g

type Piece = Minimatch["set"][number][number]
type NamePiece = Exclude<Piece, typeof GLOBSTAR>

/** True for a path that is shown with something else in place of bytes that are no UTF-8. */
export function isUnreadable(path: string): boolean {
  return path.includes(UNREADABLE)
}

/**
 * True when a glob may have matched a path before it got a name that is no UTF-8: what cannot be read of it is taken for
 * at most as many other characters. With `partial` also when it may have matched a path beneath. Pure.
 */
export function mayHaveMatched({ set }: Minimatch, path: string, partial: boolean): boolean {
  const names = path.split("/")
  return set.some((pieces) => matchNames(names, pieces, partial))
}

function matchNames(names: readonly string[], pieces: readonly Piece[], partial: boolean): boolean {
  const [name, ...otherNames] = names
  const [piece, ...otherPieces] = pieces
  if (name === undefined) return partial || pieces.length === 0
  if (piece === undefined) return false
  if (piece === GLOBSTAR) {
    // As minimatch: at the end it takes at least one name.
    if (otherPieces.length === 0) return true
    return matchNames(names, otherPieces, partial) || matchNames(otherNames, pieces, partial)
  }
  return matchName(name, piece) && matchNames(otherNames, otherPieces, partial)
}

function matchName(name: string, piece: NamePiece): boolean {
  if (!isUnreadable(name)) return typeof piece === "string" ? name === piece : piece.test(name)
  if (typeof piece === "string") return asPattern(name).test(piece)
  // Of the characters that a class or a text of the glob asks for, one may be it.
  return [UNREADABLE, ...new Set(piece.pattern)].some(
    (one) =>
      piece.test(name.replaceAll(UNREADABLE, () => one)) ||
      piece.test(name.replaceAll(UNREADABLE_RUN, () => one)),
  )
}

/** What can be read of a name, with one character, or fewer, in place of each that cannot. */
function asPattern(name: string): RegExp {
  const escaped = name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  return new RegExp(`^${escaped.replaceAll(UNREADABLE_RUN, ({ length }) => `.{1,${length}}`)}$`, "u")
}
