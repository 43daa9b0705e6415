import { createRequire } from "node:module"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** Long enough to be idle, short enough that a first publish is not what the node's memory is sized by. */
const IDLE_MS = 1000

/** What may be unpacked between two collections. */
const GARBAGE_BYTES = 8 * 1024 * 1024

/**
 * Makes this process keep its young generation small. Node gives it up to 48 MB, which pays off for servers
 * that answer all the time and here would be most of what an idle agent holds. To be called first of all.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1")
}

/**
 * Gives memory back to the system: `used` tells that a publish has ended, after which heap and allocator are
 * emptied a second later; `unpacked` counts bytes outside the heap that are garbage soon, which V8 on its own
 * lets grow by 64 MB before it looks.
 */
export function createMemoryReturn() {
  let timer: NodeJS.Timeout | undefined
  let giveBack: (() => void) | undefined
  let garbage = 0
  return {
    unpacked(bytes: number): void {
      garbage += bytes
      if (garbage < GARBAGE_BYTES) return
      garbage = 0
      giveBack ??= loadGiveBack()
      giveBack()
    },
    used(): void {
      clearTimeout(timer)
      timer = setTimeout(() => {
        giveBack ??= loadGiveBack()
        giveBack()
      }, IDLE_MS).unref()
    },
    stop: () => clearTimeout(timer),
  }
}

function loadGiveBack(): () => void {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as (options: object) => void
  const trim = mallocTrim()
  return () => {
    collect({ type: "major", execution: "sync", flavor: "last-resort" })
    trim()
  }
}

/** glibc keeps what is freed below something that is not; undone by malloc_trim(3), which musl neither has nor needs. */
function mallocTrim(): () => void {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
    const trim = koffi.load(null).func("int malloc_trim(size_t pad)")
    return () => trim(0)
  } catch {
    return () => undefined
  }
}
