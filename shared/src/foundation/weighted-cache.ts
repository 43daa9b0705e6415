/**
 * The most recently used values up to a total weight. A value heavier than the limit is not kept at all,
 * so that one giant does not push everything else out.
 */
export interface WeightedCache<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  /** Sets it only where nothing else has to go: right for what is read through twice from the start. */
  add(key: string, value: Value): void
  /** Drops all other keys. */
  keepOnly(keys: ReadonlySet<string>): void
  clear(): void
}

/** `weigh` gives a value's weight in the unit of `limit`; of the same value always the same. */
export function createWeightedCache<Value>(
  limit: number,
  weigh: (value: Value) => number,
): WeightedCache<Value> {
  // A Map iterates in the order of insertion: the first entry is the one unused for longest.
  const entries = new Map<string, { value: Value; weight: number }>()
  let total = 0

  function remove(key: string): void {
    total -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }

  function set(key: string, value: Value): void {
    remove(key)
    const weight = weigh(value)
    if (weight > limit) return
    entries.set(key, { value, weight })
    total += weight
    for (const oldest of entries.keys()) {
      if (total <= limit) break
      remove(oldest)
    }
  }

  return {
    set,
    add(key, value) {
      if (total + weigh(value) <= limit) set(key, value)
    },
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    keepOnly(keys) {
      for (const key of entries.keys()) if (!keys.has(key)) remove(key)
    },
    clear() {
      entries.clear()
      total = 0
    },
  }
}
