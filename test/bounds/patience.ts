import { until } from "../harness/until.ts"

/** How long an attack may take in all, on a machine with a dozen times the work that it can do. Milliseconds. */
const ATTACK_LIMIT_MS = 300_000

/** Waits, step by step, for what an attacked program must come to. All steps together have one time limit. */
export interface Patience {
  /** Waits for a condition of the program; throws when it has ended, or when the time is over. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>
}

/** Starts the time of one attack. Each step is printed to standard error as it is reached. */
export function startPatience(attack: string, isAlive: () => boolean): Patience {
  const began = performance.now()
  return {
    async until(what, condition) {
      const left = ATTACK_LIMIT_MS - (performance.now() - began)
      const isReached = async () => !isAlive() || (await condition().catch(() => false))
      await until(isReached, left).catch(() => {
        throw new Error(`${attack}: not within ${ATTACK_LIMIT_MS / 1000} s: ${what}`)
      })
      if (!isAlive()) throw new Error(`${attack}: the program has ended before: ${what}`)
      const seconds = Math.round((performance.now() - began) / 1000)
      process.stderr.write(`${attack}: after ${seconds} s: ${what}\n`)
    },
  }
}
