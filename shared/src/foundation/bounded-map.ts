/** A map that forgets what was longest unused. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
}

/** At most `limit` entries: a Map keeps insertion order, so the first key is the one longest unused. */
export function boundedMap<Value>(limit: number): BoundedMap<Value> {
  const entries = new Map<string, Value>()
  function set(key: string, value: Value): void {
    entries.delete(key)
    entries.set(key, value)
    if (entries.size <= limit) return
    for (const oldest of entries.keys()) {
      entries.delete(oldest)
      return
    }
  }
  function get(key: string): Value | undefined {
    const value = entries.get(key)
    if (value !== undefined) set(key, value)
    return value
  }
  return { get, set }
}
