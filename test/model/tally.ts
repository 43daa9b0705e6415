/** How often each thing happened, and in how many schedules: what shows that a generator reaches what it should. */
export interface Tally {
  /** Notes that something happened in the schedule under way. */
  count(what: string): void
  /** Ends a schedule. */
  endSchedule(): void
  /** A table for people: times, schedules, what; in the order of the names. */
  table(): string
}

export function startTally(): Tally {
  const all = new Map<string, { times: number; schedules: number }>()
  let now = new Set<string>()
  function entry(what: string) {
    const found = all.get(what) ?? { times: 0, schedules: 0 }
    all.set(what, found)
    return found
  }
  return {
    count(what) {
      entry(what).times += 1
      now.add(what)
    },
    endSchedule() {
      for (const what of now) entry(what).schedules += 1
      now = new Set()
    },
    table() {
      const rows = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
      const lines = rows.map(
        ([what, { times, schedules }]) =>
          `${String(times).padStart(9)} ${String(schedules).padStart(9)}  ${what}`,
      )
      return [`${"times".padStart(9)} ${"schedules".padStart(9)}`, ...lines, ""].join("\n")
    },
  }
}
