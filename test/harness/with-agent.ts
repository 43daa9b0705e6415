import { join } from "node:path"
import { type Agent, type AgentPorts, createAgent } from "@headrace/agent/project/agent"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { expect } from "vitest"
import { NAMESPACE, SOURCE } from "./write-revision.ts"

/** A cluster in this process: its state, and a client of it. */
export function createTestCluster() {
  const store = new ObjectStore({ createNamespaces: true })
  return { store, kube: inProcessClient(store) }
}

/** Settings with one projection, `shown`, at FOLDER/shown; `from` as YAML. Durability off: tests of it are elsewhere. */
export function projectionYaml(folder: string, from: string, more = ""): string {
  return `version: 1
record: ${NAMESPACE}/${SOURCE}
projections:
  shown:
    path: ${join(folder, "shown")}
    durability: none
    keep: {age: 0s}
    from: ${from}
${more}`
}

/** Runs an agent on `settings` (YAML) while `use` works with it, and ends it. */
export async function withAgent<T>(
  reader: ConfigMapReader,
  settings: string,
  use: (agent: Agent) => Promise<T>,
  ports: Partial<AgentPorts> = {},
): Promise<T> {
  const parsed = parseSettings(settings, "agent.yaml", AgentSettings)
  const level = process.env.HEADRACE_TEST_LOG ?? "silent"
  const log = createLog("agent", { level })
  const agent = createAgent(parsed, { reader, clock: systemClock, log, ...ports })
  const stop = new AbortController()
  const running = agent.run(stop.signal)
  try {
    return await use(agent)
  } finally {
    stop.abort(new Error("the test is over"))
    await running
  }
}

/** Waits until the agent is ready; fails with its reasons. */
export async function untilReady(agent: Agent): Promise<void> {
  await expect.poll(() => agent.readiness().reasons).toEqual([])
}

/** Waits until every projection shows a revision. */
export async function untilShown(agent: Agent, commit: string): Promise<void> {
  await expect
    .poll(() => agent.projections().map(({ shown, problem }) => problem?.message ?? shown?.id))
    .toSatisfy((ids: unknown[]) => ids.length > 0 && ids.every((id) => id === commit))
}
