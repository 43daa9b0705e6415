/** Room for bytes in memory. More than there is room for waits its turn. */
export interface ByteRoom {
  /**
   * Does `work` while `bytes` are taken, first come, first served. What is larger than the whole room waits until it has
   * all of it. Rejects with the signal's reason where that aborts first.
   */
  within<Result>(bytes: number, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result>
}

interface Waiting {
  bytes: number
  enter(): void
}

/** A room of `size` bytes. */
export function createByteRoom(size: number): ByteRoom {
  let left = size
  let waiting: Waiting[] = []

  function admit(): void {
    for (let next = waiting[0]; next !== undefined && next.bytes <= left; next = waiting[0]) {
      waiting.shift()
      left -= next.bytes
      next.enter()
    }
  }

  function enter(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting = waiting.filter((other) => other !== one)
        reject(signal?.reason)
        admit()
      }
      const one = {
        bytes,
        enter(): void {
          signal?.removeEventListener("abort", leave)
          resolve()
        },
      }
      signal?.addEventListener("abort", leave, { once: true })
      waiting.push(one)
      admit()
    })
  }

  return {
    async within(wanted, signal, work) {
      signal?.throwIfAborted()
      const bytes = Math.min(wanted, size)
      await enter(bytes, signal)
      try {
        return await work()
      } finally {
        left += bytes
        admit()
      }
    },
  }
}
