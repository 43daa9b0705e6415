/** Counts what an embedded server was asked, by verb and resource: `get configmaps`. */
export class RequestCounters {
  readonly #counts = new Map<string, number>()
  /** TCP connections accepted. */
  connections = 0
  /** Bytes of answers, without headers. */
  bytesSent = 0

  /** `verb`: get, list, watch, create, update, patch, delete. */
  add(verb: string, resource: string): void {
    const key = `${verb} ${resource}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  get(verb: string, resource: string): number {
    return this.#counts.get(`${verb} ${resource}`) ?? 0
  }

  /** Requests that could change something. */
  writes(): number {
    return ["create", "update", "patch", "delete"].reduce((sum, verb) => sum + this.#sum(`${verb} `), 0)
  }

  all(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }

  reset(): void {
    this.#counts.clear()
    this.connections = 0
    this.bytesSent = 0
  }

  #sum(prefix: string): number {
    let sum = 0
    for (const [key, count] of this.#counts) if (key.startsWith(prefix)) sum += count
    return sum
  }
}
