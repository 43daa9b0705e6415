import { readableSlots, type Store } from "./store.ts"

/** Bytes of the files of all slots; what several share by hard links counts once. */
export function storeBytes(store: Store): number {
  const counted = new Set<number>()
  let bytes = 0
  for (const { manifest } of readableSlots(store)) {
    for (const { inode, size } of manifest.files) {
      if (counted.has(inode)) continue
      counted.add(inode)
      bytes += size
    }
  }
  return bytes
}
