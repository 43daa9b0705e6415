import { checkPort } from "./check-port.ts"
import { claimState, claimTarget } from "./claim-target.ts"

/** Milliseconds that a Redis of this machine or the next may take to answer. */
const REDIS_LIMIT_MS = 900

export interface PreflightOptions {
  target: string
  /** Folder for settings and logs, which is there; undefined: one of its own. */
  state?: string | undefined
  /** 0: one is picked. */
  port: number
  /** Undefined: one is started. */
  redisUrl: string | undefined
}

/**
 * Looks, before anything is started, at what would keep a local pipeline from working, all within a second: the target
 * and the state with their locks, the port, Redis. Gives what releases both. Throws `local/…` or `lanes/…` that names the culprit.
 */
export async function preflight({
  target,
  state,
  port,
  redisUrl,
}: PreflightOptions): Promise<() => Promise<void>> {
  const claims = [await claimTarget(target)]
  const release = async () => {
    for (const claim of claims) await claim()
  }
  try {
    if (state !== undefined) claims.push(await claimState(state))
    await Promise.all([checkPort(port), redisUrl === undefined ? undefined : checkGivenRedis(redisUrl)])
    return release
  } catch (error) {
    await release()
    throw error
  }
}

/** Loads the client of Redis, which is a third of what `up` loads, where there is a Redis to look at. */
async function checkGivenRedis(url: string): Promise<void> {
  const { checkRedis } = await import("@headrace/shared/lanes/check-redis")
  await checkRedis(url, REDIS_LIMIT_MS)
}
