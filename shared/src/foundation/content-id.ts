import { createHash } from "node:crypto"

/** The name of a content in the manner of `like`: git's blob id (SHA-1 or SHA-256), or `sha256:…` outside git. */
export function contentId(content: Buffer, like: string): string {
  if (like.startsWith("sha256:")) return `sha256:${createHash("sha256").update(content).digest("hex")}`
  const hash = createHash(like.length === 64 ? "sha256" : "sha1")
  return hash.update(`blob ${content.length}\0`).update(content).digest("hex")
}

/** One of each kind of name. */
const KINDS = ["", "0".repeat(64), "sha256:"]
/** A content is known by its name alone here, so only blanks as short as this are recognized. */
const LONGEST_BLANK = 4
const BLANK = new Set(
  KINDS.flatMap((like) => blanksUpTo(LONGEST_BLANK).map((text) => contentId(Buffer.from(text), like))),
)

/** True for a content of nothing: no bytes, or at most four of spaces, tabs and ends of lines. */
export function isBlank({ size, oid }: { size: number; oid: string }): boolean {
  return size === 0 || (size <= LONGEST_BLANK && BLANK.has(oid))
}

/** Every text of 1 to `length` spaces, tabs and ends of lines. */
function blanksUpTo(length: number): string[] {
  if (length === 0) return []
  const shorter = ["", ...blanksUpTo(length - 1)]
  return [...new Set(shorter.flatMap((text) => [" ", "\t", "\r", "\n"].map((blank) => text + blank)))]
}
