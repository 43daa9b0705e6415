import { Command } from "commander"
import fc from "fast-check"

/** What the long forms of all models take. */
export interface LongFormOptions {
  runs: string
  seed?: string
  path?: string
  from: string
  seconds?: string
}

const PROGRESS_EVERY = 500

/** The command line of a long form, to which it adds what it alone takes. */
export function longForm(name: string): Command {
  return new Command(name)
    .option("--runs <count>", "how many schedules", "10000")
    .option("--seed <number>", "seed of the schedules; a failure prints it")
    .option("--from <count>", "begin with this one of the seed's schedules, to continue", "0")
    .option("--seconds <count>", "stop after so long, and print where to continue")
    .option("--path <path>", "path of one failure, to play it again")
}

export function seedOf({ seed }: LongFormOptions): number {
  return seed === undefined ? Date.now() % 2 ** 31 : Number(seed)
}

/** Plays the schedules of a seed. Gives how many hold, from its first on; `failure`: what to print of one that does not. */
export async function playSchedules<Schedule>(
  schedules: fc.Arbitrary<Schedule>,
  play: (schedule: Schedule) => Promise<void>,
  { runs, from, seconds, path, seed }: Omit<LongFormOptions, "seed"> & { seed: number },
  signal: AbortSignal,
): Promise<{ played: number; failure: string | undefined }> {
  let played = Number(from)
  const details = await fc.check(
    fc.asyncProperty(schedules, async (schedule) => {
      signal.throwIfAborted()
      await play(schedule)
      played += 1
      if (played % PROGRESS_EVERY === 0) process.stdout.write(`${played} hold\n`)
    }),
    {
      numRuns: Number(runs) - Number(from),
      seed,
      path: path ?? from,
      ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
    },
  )
  // What SIGTERM ended has not failed.
  const failed = details.failed && details.errorInstance !== null && !signal.aborted
  const failure = failed
    ? `${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}\n`
    : undefined
  return { played, failure }
}
