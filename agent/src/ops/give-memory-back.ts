import { readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { loadHeapCollector } from "@headrace/shared/foundation/collect-heap"
import { loadKoffi } from "../disk/load-koffi.ts"

/** Long enough to be idle, short enough that a first publish is not what the node's memory is sized by. */
const IDLE_MS = 1000

/** What may be unpacked, or read and dropped, between two collections. */
const GARBAGE_BYTES = 4 * 1024 * 1024

/**
 * Makes this process keep little memory for itself. To be called first of all.
 *
 * Node gives the young generation up to 48 MB, which pays off for servers that answer all the time. The
 * optimizing compilers pay off where the same code runs for long: here hashing, gzip, JSON and the disk, all
 * native, are what takes time. Without them an agent of 5,000 files holds 4 MB less, and publishes as fast.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1")
  setFlagsFromString("--no-opt")
  setFlagsFromString("--no-maglev")
}

/**
 * Gives memory back to the system: `used` reports that rare work has ended, after which heap and allocator are
 * emptied a second later; `unpacked` and `read` count bytes outside the heap that are garbage soon, which V8 on its
 * own lets grow by 64 MB before it looks. What is `read` is dropped at once, so that collecting the young is enough:
 * the whole heap, collected as often, makes a first publish of 100 MB take a fifth longer.
 */
export function createMemoryReturn() {
  let timer: NodeJS.Timeout | undefined
  let returns: MemoryReturns | undefined
  return {
    unpacked: each(GARBAGE_BYTES, () => {
      returns ??= loadReturns()
      returns.free()
    }),
    read: each(GARBAGE_BYTES, () => {
      returns ??= loadReturns()
      returns.freeYoung()
    }),
    used(): void {
      clearTimeout(timer)
      timer = setTimeout(() => {
        returns ??= loadReturns()
        returns.free()
        returns.unmapText()
      }, IDLE_MS).unref()
    },
    stop: () => clearTimeout(timer),
  }
}

/** Acts each time that so many bytes have come together. */
function each(most: number, act: () => void): (bytes: number) => void {
  let sum = 0
  return (bytes) => {
    sum += bytes
    if (sum < most) return
    sum = 0
    act()
  }
}

interface MemoryReturns {
  /** Collects garbage and gives the allocator's free pages to the system. */
  free(): void
  /** Collects what has been made and dropped of late. The allocator uses its pages again. */
  freeYoung(): void
  /**
   * Unmaps the pages of Node's own program text: starting and collecting touch most of them, idling few. They
   * are the file's, so what is needed again comes from the page cache.
   */
  unmapText(): void
}

/** MADV_DONTNEED of madvise(2). */
const NOT_NEEDED = 4

function loadReturns(): MemoryReturns {
  const collector = loadHeapCollector()
  const libc = loadLibc()
  const trim = nativeCall(libc, "int malloc_trim(size_t pad)")
  const advise = nativeCall(libc, "int madvise(size_t address, size_t length, int advice)")
  const text = programText(readFileSync("/proc/self/maps", "utf8"), process.execPath)
  return {
    free() {
      collector.all()
      // glibc keeps what is freed below something that is not (malloc_trim(3)).
      trim(0)
    },
    freeYoung: collector.young,
    unmapText() {
      for (const { start, end } of text) advise(start, end - start, NOT_NEEDED)
    },
  }
}

function loadLibc(): ReturnType<ReturnType<typeof loadKoffi>["load"]> | undefined {
  try {
    return loadKoffi().load(null)
  } catch {
    return undefined
  }
}

/** A function of libc; one that does nothing where there is no such: musl neither has nor needs malloc_trim. */
function nativeCall(libc: ReturnType<typeof loadLibc>, prototype: string): (...args: unknown[]) => unknown {
  try {
    return libc?.func(prototype) ?? (() => undefined)
  } catch {
    return () => undefined
  }
}

/** The executable, never written parts of a program in proc_pid_maps(5): what else is mapped may differ from the file. */
export function programText(maps: string, program: string): { start: bigint; end: bigint }[] {
  return maps.split("\n").flatMap((line) => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r-xp /.exec(line) ?? []
    if (start === undefined || !line.endsWith(` ${program}`)) return []
    return [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }]
  })
}
