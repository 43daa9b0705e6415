import { errorMessage, HeadraceError } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"
import { admitRedis } from "./admit-redis.ts"
import type { RedisClient } from "./connect-redis.ts"

/**
 * Lets work through while Redis is there and fit for lanes. Redis is checked again on every connect:
 * it may have come back empty, or with another configuration.
 */
export interface RedisGate {
  /** Why lanes cannot be used now; undefined when they can. */
  trouble(): HeadraceError | undefined
  /** Calls back each time Redis has been found fit, now too when it already is. */
  onOpen(listener: () => void): void
  /** Ends after the first look, or when the time is over. */
  settled(milliseconds: number): Promise<void>
}

const AGAIN_MS = 2000

/** `where` names the server in messages; `formatKey` is where the format of the lanes stands. */
export function watchRedis(client: RedisClient, where: string, formatKey: string, log: Log): RedisGate {
  let trouble: HeadraceError | undefined = unavailable(where)
  /** The best reason to give while it is away: a wrong password or certificate looks like that, too. */
  let lastError: Error | undefined
  const listeners: (() => void)[] = []
  const first = Promise.withResolvers<void>()

  async function look(): Promise<void> {
    try {
      await admitRedis(client, formatKey)
      trouble = undefined
      lastError = undefined
      log.info({ redis: where }, "redis is ready")
      for (const listener of listeners) listener()
    } catch (error) {
      trouble = error instanceof HeadraceError ? error : unavailable(where, error)
      log.error({ redis: where, code: trouble.code, err: errorMessage(error) }, "redis cannot be used")
      setTimeout(lookAgain, AGAIN_MS).unref()
    }
    first.resolve()
  }

  /** What was wrong may have been fixed without a new connection, which would check by itself. */
  function lookAgain(): void {
    if (client.status === "ready" && trouble !== undefined) void look()
  }

  client.on("ready", () => void look())
  client.on("close", () => {
    if (trouble === undefined) log.warn({ redis: where }, "redis is away")
    trouble = unavailable(where, lastError)
  })
  client.on("error", (error: Error) => {
    lastError = error
  })
  return {
    trouble: () => trouble,
    onOpen(listener) {
      listeners.push(listener)
      if (trouble === undefined) listener()
    },
    async settled(milliseconds) {
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds)
      })
      await Promise.race([first.promise, timeout])
      clearTimeout(timer)
    },
  }
}

function unavailable(where: string, cause?: unknown): HeadraceError {
  return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} does not answer`, {
    hint: "Check that it runs and that the URL, password and TLS files are right; Headrace connects by itself when it is back.",
    cause,
  })
}
