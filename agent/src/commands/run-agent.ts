import { systemClock } from "@headrace/shared/foundation/clock"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { createMemoryReturn, keepHeapSmall } from "../ops/give-memory-back.ts"
import { serveOps } from "../ops/serve-ops.ts"
import { createAgent } from "../project/agent.ts"

export interface RunOptions {
  /** Path of the agent's file. */
  config: string
  logLevel?: string
}

/** `headrace-agent --config FILE`: runs the agent until the signal aborts. Throws UsageError for bad settings. */
export async function runAgent(options: RunOptions, signal: AbortSignal): Promise<void> {
  keepHeapSmall()
  const memory = createMemoryReturn()
  const settings = await loadAgentSettings(options.config)
  const log = createLog("agent", options.logLevel === undefined ? {} : { level: options.logLevel })
  const { kubeconfig, context } = settings
  const client = await openLightClient({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    log,
  })
  const agent = createAgent(settings, { reader: client, clock: systemClock, log, onPublished: memory.used })
  const server = await serveOps(settings.listen, agent).catch((error: unknown) => {
    client.close()
    throw error
  })
  log.info({ record: settings.record, url: server.url }, "agent started")
  try {
    await agent.run(signal)
  } finally {
    memory.stop()
    await server.close()
    client.close()
    log.info("agent stopped")
  }
}
