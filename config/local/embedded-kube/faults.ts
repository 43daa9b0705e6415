/** What to do instead of answering well. */
export type FaultAnswer =
  /** Refuse with this HTTP status, without effect. */
  | { kind: "status"; status: number; retryAfterSeconds?: number }
  /** Never answer; with `effect` the request is carried out first. */
  | { kind: "hang"; effect?: boolean }
  /** Break the connection; with `effect` the request is carried out first. */
  | { kind: "close"; effect?: boolean }
  /** Carry it out, send half of the answer, then end it as if it were whole. */
  | { kind: "truncate" }

export interface Fault {
  answer: FaultAnswer
  /** How many requests it strikes. */
  times: number
  /** get, list, watch, create, update, patch, delete; absent: any. */
  verb?: string
  /** configmaps, leases, namespaces; absent: any. */
  resource?: string
}

/** Faults that tests plan ahead; each strikes the next requests that it fits, the oldest first. */
export class Faults {
  #planned: Fault[] = []

  plan(fault: Fault): void {
    this.#planned.push({ ...fault })
  }

  clear(): void {
    this.#planned = []
  }

  /** The fault that strikes this request, used up by one; undefined: none. */
  take(verb: string, resource: string): FaultAnswer | undefined {
    const fault = this.#planned.find(
      (one) => (one.verb ?? verb) === verb && (one.resource ?? resource) === resource && one.times > 0,
    )
    if (!fault) return undefined
    fault.times -= 1
    this.#planned = this.#planned.filter((one) => one.times > 0)
    return fault.answer
  }
}
