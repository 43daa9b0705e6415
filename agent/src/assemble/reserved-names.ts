/**
 * True for a path that a projection keeps for itself: names at the top that begin with two dots are Headrace's, as they
 * are AtomicWriter's (kubernetes/kubernetes pkg/volume/util/atomic_writer.go), and `reserved` ones.
 */
export function isReserved(path: string, reserved: readonly string[]): boolean {
  const [first = ""] = path.split("/")
  return first.startsWith("..") || reserved.includes(first)
}
