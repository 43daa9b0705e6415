import { createHash } from "node:crypto"

/** The name of a content in the manner of `like`: git's blob id (SHA-1 or SHA-256), or `sha256:…` outside git. */
export function contentId(content: Buffer, like: string): string {
  if (like.startsWith("sha256:")) return `sha256:${createHash("sha256").update(content).digest("hex")}`
  const hash = createHash(like.length === 64 ? "sha256" : "sha1")
  return hash.update(`blob ${content.length}\0`).update(content).digest("hex")
}

/** One of each kind of name. */
const KINDS = ["", "0".repeat(64), "sha256:"]
/** A content is known by its name alone here: among short ones every mixture of blanks is recognized. */
const LONGEST_MIXTURE = 4
const MIXTURES = idsOf(blanksUpTo(LONGEST_MIXTURE))
/** Among longer ones, one blank again and again, with or without an end of line. */
const LONGEST_RUN = 256
const RUNS = new Map<number, ReadonlySet<string>>()

/**
 * True for a content of nothing: no bytes, at most four of spaces, tabs and ends of lines, or up to 256 of one of them with an
 * end of line behind.
 */
export function isBlank({ size, oid }: { size: number; oid: string }): boolean {
  if (size <= LONGEST_MIXTURE) return size === 0 || MIXTURES.has(oid)
  return size <= LONGEST_RUN && runsOf(size).has(oid)
}

function runsOf(size: number): ReadonlySet<string> {
  const known = RUNS.get(size)
  if (known) return known
  const texts = ["", "\n", "\r\n"].flatMap((end) =>
    [" ", "\t", "\n", "\r\n"].map((blank) => blank.repeat(size).slice(0, size - end.length) + end),
  )
  const runs = idsOf(texts)
  RUNS.set(size, runs)
  return runs
}

function idsOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(KINDS.flatMap((like) => texts.map((text) => contentId(Buffer.from(text), like))))
}

/** Every text of 1 to `length` spaces, tabs and ends of lines. */
function blanksUpTo(length: number): string[] {
  if (length === 0) return []
  const shorter = ["", ...blanksUpTo(length - 1)]
  return [...new Set(shorter.flatMap((text) => [" ", "\t", "\r", "\n"].map((blank) => text + blank)))]
}
