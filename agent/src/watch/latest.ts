/** A value and how many came before it. */
export interface Versioned<Value> {
  value: Value
  version: number
}

/** The newest of a series of values: those who come late miss the ones between, which is what they want. */
export interface Latest<Value> {
  current(): Versioned<Value> | undefined
  set(value: Value): void
  /** The newest value as soon as its version is above `seen`; rejects with the signal's reason. */
  after(seen: number, signal: AbortSignal): Promise<Versioned<Value>>
}

export function createLatest<Value>(): Latest<Value> {
  let newest: Versioned<Value> | undefined
  const waiting = new Set<() => void>()

  return {
    current: () => newest,
    set(value) {
      newest = { value, version: (newest?.version ?? 0) + 1 }
      for (const wake of waiting) wake()
      waiting.clear()
    },
    async after(seen, signal) {
      for (;;) {
        signal.throwIfAborted()
        if (newest && newest.version > seen) return newest
        await changed(waiting, signal)
      }
    },
  }
}

function changed(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    function wake(): void {
      signal.removeEventListener("abort", wake)
      waiting.delete(wake)
      resolve()
    }
    waiting.add(wake)
    signal.addEventListener("abort", wake, { once: true })
  })
}
