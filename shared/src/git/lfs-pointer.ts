/** Bounds of a pointer file, from the Git LFS specification (docs/spec.md: "less than 1024 bytes"). */
const SMALLEST = 100
const LARGEST = 1023
const FIRST_LINE = Buffer.from("version https://git-lfs.github.com/spec/")

/** True when a file of this many bytes may be a pointer, so that its content is worth reading. */
export function mayBeLfsPointer(size: number): boolean {
  return size >= SMALLEST && size <= LARGEST
}

/** True when these bytes are a Git LFS pointer and not a file's content. */
export function isLfsPointer(content: Buffer): boolean {
  if (!mayBeLfsPointer(content.length)) return false
  return content.subarray(0, FIRST_LINE.length).equals(FIRST_LINE) && content.includes("\noid sha256:")
}
