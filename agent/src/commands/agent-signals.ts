import type { Log } from "@headrace/shared/observe/log"
import type { Agent } from "../project/agent.ts"

/** What signals ask of a running agent. */
export interface Signals {
  /** Asks this agent from now on. */
  follow(agent: Agent): void
  /** Aborts when the settings are to be read now; new for each agent that is followed. */
  readonly hurry: AbortSignal
  close(): void
}

/** SIGHUP: look at everything now. SIGUSR2: log the state, which holds no contents and no secrets. */
export function createSignals(log: Log): Signals {
  let followed: Agent | undefined
  let hurry = new AbortController()
  function onHup(): void {
    log.info("SIGHUP: looking now")
    hurry.abort()
    followed?.lookNow()
  }
  function onUsr2(): void {
    log.info({ state: followed?.state() }, "SIGUSR2: the agent's state")
  }
  process.on("SIGHUP", onHup)
  process.on("SIGUSR2", onUsr2)
  return {
    get hurry() {
      return hurry.signal
    },
    follow(agent) {
      followed = agent
      hurry = new AbortController()
    },
    close() {
      process.off("SIGHUP", onHup)
      process.off("SIGUSR2", onUsr2)
    },
  }
}
