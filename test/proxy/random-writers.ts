import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import type { Site } from "./site.ts"
import { perturbWriter, pick, roll, type Weather } from "./weather.ts"
import { startWriter, type Writer } from "./writer.ts"

/** Work of a process; gives what came of it, for the trace. */
type Work = (writer: Writer) => Promise<string>

/** Processes that write in any weather. Each keeps its memory from one work to the next, until it is killed. */
export interface RandomWriters {
  /** Does work by the process of this number. Ends with it, or when the process is paused. */
  work(number: number, what: string, work: Work): Promise<void>
  /** Does work by a process of its own, which is never paused, and ends it. */
  command(what: string, work: Work): Promise<void>
  /** Ends a process that does nothing, so that the next one knows nothing. */
  forget(number: number): void
  /** Lets paused processes go on and late requests arrive; ends when all have, or are paused again. */
  goOn(): Promise<void>
  /** From now on nothing is perturbed, and nothing is late any more. */
  calm(): Promise<void>
}

const RATES = [0, 0.05, 0.15, 0.3] as const
const BEHIND = [0, 0, 0, 1, 3, 8] as const

export function createRandomWriters(site: Site, seed: number, trace: string[]): RandomWriters {
  const writers = new Map<number, Writer>()
  const underWay = new Map<number, Promise<void>>()
  const doors: Writer["door"][] = []
  const late = new Set<() => void>()
  let isCalm = false
  let onPause = (): void => undefined
  let nextPause = untilNextPause()

  function untilNextPause(): Promise<void> {
    return new Promise((resolve) => {
      onPause = resolve
    })
  }

  async function later(): Promise<void> {
    if (isCalm) return
    const arrival = new Promise<void>((resolve) => late.add(resolve))
    onPause()
    nextPause = untilNextPause()
    await arrival
  }

  async function start(mayPause: boolean): Promise<Writer> {
    const name = `${seed} ${doors.length}`
    const weather: Weather = {
      name,
      rate: pick(RATES, roll(name, "rate")),
      behind: pick(BEHIND, roll(name, "behind")),
      later: mayPause ? later : undefined,
    }
    const writer = await startWriter(site, {
      perturb: (call) => (isCalm ? undefined : perturbWriter(weather, call)),
    })
    doors.push(writer.door)
    trace.push(`process ${doors.length} starts: rate ${weather.rate}, behind ${weather.behind}`)
    return writer
  }

  async function done(writer: Writer, what: string, work: Work): Promise<void> {
    const result = await work(writer).catch((error: unknown) => {
      if (writer.isKilled()) return "killed"
      if (error instanceof HeadraceError) return errorText(error)
      throw error
    })
    trace.push(`${what}: ${result}`)
  }

  function goOn(): void {
    for (const arrive of late) arrive()
    late.clear()
  }

  return {
    async work(number, what, work) {
      if (underWay.has(number)) return
      const writer = writers.get(number) ?? (await start(true))
      writers.set(number, writer)
      const ending = done(writer, `writer ${number}: ${what}`, work).finally(() => {
        underWay.delete(number)
        if (!writer.isKilled()) return
        writer.close()
        writers.delete(number)
      })
      underWay.set(number, ending)
      await Promise.race([ending, nextPause])
    },
    async command(what, work) {
      const writer = await start(false)
      await done(writer, what, work)
      writer.close()
    },
    forget(number) {
      if (underWay.has(number)) return
      writers.get(number)?.close()
      writers.delete(number)
    },
    async goOn() {
      goOn()
      await Promise.race([Promise.all(underWay.values()), nextPause])
    },
    async calm() {
      isCalm = true
      goOn()
      await Promise.all(underWay.values())
      await Promise.all(doors.map((door) => door.settled()))
      for (const writer of writers.values()) writer.close()
    },
  }
}
