import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import type { Log } from "@headrace/shared/observe/log"
import { createLog } from "@headrace/shared/observe/log"
import { isCurrent } from "@headrace/shared/observe/ops-routes"
import { openHttp } from "@headrace/shared/observe/serve-http"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { createMemoryReturn, keepHeapSmall } from "../ops/give-memory-back.ts"
import { type Agent, createAgent } from "../project/agent.ts"

export interface RunOptions {
  /** Path of the agent's file. */
  config: string
  logLevel?: string
  /** End when every projection shows the newest revision. */
  once?: boolean
  /** With `once`: fail after so many milliseconds. */
  timeout?: number
  /** Instead of the file's, in milliseconds. */
  jitter?: number
}

const ONCE_LOOK_MS = 20

/** `headrace-agent --config FILE`: runs the agent until the signal aborts. Throws UsageError for bad settings. */
export async function runAgent(options: RunOptions, signal: AbortSignal): Promise<void> {
  keepHeapSmall()
  const memory = createMemoryReturn()
  const { jitter, ...file } = await loadAgentSettings(options.config)
  const settings = { ...file, jitter: options.jitter ?? jitter }
  const log = createLog("agent", options.logLevel === undefined ? {} : { level: options.logLevel })
  const { kubeconfig, context } = settings
  const client = await openLightClient({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    log,
  })
  const agent = createAgent(settings, {
    reader: client,
    cluster: client.cluster,
    leases: client,
    clock: systemClock,
    log,
    onShown: memory.used,
    onUnpack: memory.unpacked,
  })
  try {
    await (options.once ? runOnce(agent, options, signal) : runServing(agent, settings, log, signal))
  } finally {
    memory.stop()
    client.close()
    log.info("agent stopped")
  }
}

async function runServing(agent: Agent, settings: AgentSettings, log: Log, signal: AbortSignal) {
  const http = await openHttp(settings.listen, log)
  try {
    await http.serve({ routes: new Map(), ops: agent })
    log.info({ record: settings.record, url: http.url }, "agent started")
    await agent.run(signal)
  } finally {
    await http.close()
  }
}

/** For init containers and scripts: ends when everything is shown and every consumer was notified. */
async function runOnce(agent: Agent, { timeout }: RunOptions, signal: AbortSignal): Promise<void> {
  const done = new AbortController()
  const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout)]
  let hasFailed = false
  const running = agent.run(AbortSignal.any([signal, done.signal, ...limit]))
  // Thrown below; until then nobody waits for it.
  running.catch(() => {
    hasFailed = true
  })
  const isDone = () => isCurrent(agent.readiness()) && agent.isTold()
  while (!isDone() && !hasFailed && !signal.aborted && !limit.some(({ aborted }) => aborted)) {
    await systemClock.sleep(ONCE_LOOK_MS, signal).catch(() => undefined)
  }
  const { reasons } = agent.readiness()
  done.abort()
  await running
  signal.throwIfAborted()
  if (isDone()) return
  const why = reasons.length > 0 ? reasons.join("; ") : "not every consumer could be notified"
  throw new HeadraceError("agent/not-ready", `not everything is shown after ${timeout} ms: ${why}`, {
    hint: "Run it again, or give it more time with --timeout; what was published stays.",
  })
}
