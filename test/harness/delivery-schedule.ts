/** What happens at one merge: the branch moves, then these merges' webhooks arrive (the same number twice: doubled). */
export interface ScheduleStep {
  merge: number
  deliver: number[]
}

export interface DeliverySchedule {
  steps: ScheduleStep[]
  dropped: number
  doubled: number
  delayed: number
}

/**
 * Deliveries as a bad day has them: of `count` merges every tenth is never delivered, every seventh delivered twice,
 * every fifth (of the others) delivered after its successor.
 */
export function badDaySchedule(count: number): DeliverySchedule {
  const schedule: DeliverySchedule = { steps: [], dropped: 0, doubled: 0, delayed: 0 }
  let late: number[] = []
  for (let merge = 0; merge < count; merge++) {
    const nth = merge + 1
    const deliver: number[] = []
    const held = late
    late = []
    if (nth % 10 === 0) {
      schedule.dropped++
    } else {
      const copies = nth % 7 === 0 ? [merge, merge] : [merge]
      if (copies.length > 1) schedule.doubled++
      if (nth % 5 === 0 && nth < count) {
        schedule.delayed++
        late = copies
      } else {
        deliver.push(...copies)
      }
    }
    schedule.steps.push({ merge, deliver: [...deliver, ...held] })
  }
  return schedule
}
