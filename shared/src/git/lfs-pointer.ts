/** Bounds of a pointer file, from the Git LFS specification (docs/spec.md: "less than 1024 bytes"). */
const SMALLEST = 100
const LARGEST = 1023
/**
 * The first line of a pointer, by the names that the specification had in the course of time: git-lfs reads all of them
 * (lfs/pointer.go, v1Aliases), after lines that are empty.
 */
const FIRST_LINE =
  /^\s*version (https:\/\/git-lfs\.github\.com\/spec\/|https:\/\/hawser\.github\.com\/spec\/|http:\/\/git-media\.io\/v\/)/

/** True when a file of this many bytes may be a pointer, so that its content is worth reading. */
export function mayBeLfsPointer(size: number): boolean {
  return size >= SMALLEST && size <= LARGEST
}

/** True when these bytes are a Git LFS pointer and not a file's content. */
export function isLfsPointer(content: Buffer): boolean {
  if (!mayBeLfsPointer(content.length)) return false
  const text = content.toString("latin1")
  return FIRST_LINE.test(text) && text.includes("\noid sha256:")
}
