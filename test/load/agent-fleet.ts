import { join } from "node:path"
import { type Agent, createAgent } from "@headrace/agent/project/agent"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import type { LightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { REPORT_ANNOTATION, REPORT_SELECTOR } from "@headrace/shared/record/node-report"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { NAMESPACE, SOURCE } from "../harness/write-revision.ts"

const log = createLog("agents", { level: "silent" })

/** What a fleet has requested of its API server, and received, as JSON. */
export interface Traffic {
  requests: number
  bytes: number
}

/** Whole agents, each with a connection, a watch, a projection on disk and a Lease of its own, in this process. */
export interface Fleet {
  traffic: Traffic
  close(): Promise<void>
}

/** `openClient` gives each agent its connection; `folder` gets a projection for each. */
export async function startFleet(
  count: number,
  folder: string,
  openClient: () => Promise<LightClient>,
): Promise<Fleet> {
  const traffic: Traffic = { requests: 0, bytes: 0 }
  const stop = new AbortController()
  const started = Array.from({ length: count }, async (_, number) => {
    const client = await openClient()
    const agent = createFleetAgent(folder, number, countTraffic(client, traffic))
    return { client, ended: agent.run(stop.signal) }
  })
  const members = await Promise.all(started)
  return {
    traffic,
    async close() {
      stop.abort(new Error("the fleet goes home"))
      await Promise.all(members.map(({ ended }) => ended))
      for (const { client } of members) client.close()
    },
  }
}

/** How many nodes' Leases say that they show this commit. */
export async function reporting(kube: LeaseReader, commit: string): Promise<number> {
  const leases = await kube.listLeases(NAMESPACE, REPORT_SELECTOR)
  // Parsing each of 300 reports at every look would be a good part of what is measured.
  const shows = `"revision":"${commit}"`
  return leases.filter(({ annotations }) => annotations[REPORT_ANNOTATION]?.includes(shows)).length
}

function createFleetAgent(folder: string, number: number, client: LightClient): Agent {
  const yaml = `version: 1
record: ${NAMESPACE}/${SOURCE}
report: {node: node-${number}}
projections:
  jobs: {path: ${join(folder, `node-${number}`)}, durability: none, keep: {age: 0s, revisions: 1}, from: [{configMap: ci/jobs}]}
`
  const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
  return createAgent(settings, { reader: client, leases: client, clock: systemClock, log })
}

function countTraffic(client: LightClient, traffic: Traffic): LightClient {
  function counted<Answer>(answer: Answer): Answer {
    traffic.bytes += JSON.stringify(answer)?.length ?? 0
    return answer
  }
  async function request<Answer>(call: Promise<Answer>): Promise<Answer> {
    traffic.requests += 1
    return counted(await call)
  }
  async function* watch(...args: Parameters<ConfigMapReader["watch"]>) {
    traffic.requests += 1
    for await (const event of client.watch(...args)) yield counted(event)
  }
  return {
    ...client,
    watch,
    get: (...args) => request(client.get(...args)),
    list: (...args) => request(client.list(...args)),
    getJson: (...args) => request(client.getJson(...args)),
    sendJson: (...args) => request(client.sendJson(...args)),
  }
}
