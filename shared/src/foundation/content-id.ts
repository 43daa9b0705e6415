import { createHash } from "node:crypto"

/** The name of a content in the manner of `like`: git's blob id (SHA-1 or SHA-256), or `sha256:…` outside git. */
export function contentId(content: Buffer, like: string): string {
  if (like.startsWith("sha256:")) return `sha256:${createHash("sha256").update(content).digest("hex")}`
  const hash = createHash(like.length === 64 ? "sha256" : "sha1")
  return hash.update(`blob ${content.length}\0`).update(content).digest("hex")
}

/** One of each kind of name. */
const KINDS = ["", "0".repeat(64), "sha256:"]
const BLANK = new Set(
  KINDS.flatMap((like) => ["\n", "\r\n"].map((text) => contentId(Buffer.from(text), like))),
)

/** True for a content of nothing: no bytes, or the end of a line alone. */
export function isBlank({ size, oid }: { size: number; oid: string }): boolean {
  return size === 0 || (size <= 2 && BLANK.has(oid))
}
