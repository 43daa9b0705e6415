import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { type Agent, createAgent } from "@headrace/agent/project/agent"
import { systemClock } from "@headrace/shared/foundation/clock"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { readInNamespaces } from "../model/in-namespaces.ts"
import { OWN_NAMESPACE } from "../model/model-sources.ts"
import { Violation } from "../model/violation.ts"
import type { Door, DoorOptions } from "./door.ts"
import { writeKubeconfig } from "./process.ts"
import { type ShownWatch, watchShown } from "./shown-watch.ts"
import type { Site } from "./site.ts"

/** How the way of an agent to the API server is. */
export type NodeOptions = Pick<DoorOptions, "perturb" | "perturbEvent" | "countsEarlier">

/** A node with an agent that shows every target of the record; it outlasts the agent's processes. */
export interface Node {
  /** Starts an agent's process in place of the one that runs. Gives its door. */
  start(options?: NodeOptions): Promise<Door>
  /** Waits until every target is shown as the record says. Throws a Violation when that takes too long. */
  untilShown(): Promise<void>
  stop(): Promise<void>
}

const SILENT = createLog("agent", { level: "silent" })
/** Long after anything that is awaited here, on a machine that is busy. */
const LIMIT_MS = 150_000
const POLL_MS = 20
/** The shortest watch that the API has, a second: what it missed is found by the next one, or by the list after it. */
const WATCH = { duration: 100, silence: 20_000 }
/** The agent lists again after ten minutes, which pass here in a second. */
const SPEED = 600

export function createNode(site: Site): Node {
  const folder = join(site.folder, "shown")
  const watch = watchShown(site, folder)
  let running: RunningAgent | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other: a killed agent is started again while the play may start another. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }
  async function stop(): Promise<void> {
    await running?.stop()
    running = undefined
  }
  function start(options: NodeOptions = {}): Promise<Door> {
    return inTurn(async () => {
      await stop()
      // As kubelet does.
      const onShut = () => void start().catch((error: unknown) => site.violations.push(error))
      running = await startAgent(site, folder, watch, { ...options, onShut })
      return running.door
    })
  }
  return {
    start,
    stop: () => inTurn(stop),
    async untilShown() {
      const limit = performance.now() + LIMIT_MS
      for (;;) {
        const missing = await watch.missing(running?.agent.projections() ?? [])
        if (missing === undefined || site.violations.length > 0) return
        if (performance.now() > limit) throw new Violation(`1: a node does not follow: ${missing}`)
        await delay(POLL_MS)
      }
    },
  }
}

interface RunningAgent {
  agent: Agent
  door: Door
  stop(): Promise<void>
}

async function startAgent(
  site: Site,
  folder: string,
  watch: ShownWatch,
  options: DoorOptions,
): Promise<RunningAgent> {
  const { door, url } = site.proxy.openDoor(options)
  const kubeconfig = await writeKubeconfig(site, url)
  const client = await openLightClient({ kubeconfig, log: SILENT, watch: WATCH })
  const yaml = `{version: 1, record: ${OWN_NAMESPACE}/release, everyTarget: {path: ${folder}, durability: none}}`
  const began = Date.now()
  const agent = createAgent(parseSettings(yaml, "agent.yaml", AgentSettings), {
    reader: readInNamespaces(client, site.namespaces),
    clock: { now: () => began + (Date.now() - began) * SPEED, sleep: systemClock.sleep },
    log: SILENT,
    onShown() {
      try {
        watch.note(agent.projections())
      } catch (error) {
        site.violations.push(error)
      }
    },
  })
  const life = new AbortController()
  const running = agent.run(life.signal)
  return {
    agent,
    door,
    async stop() {
      life.abort(new Error("the agent is stopped"))
      await running
      client.close()
    },
  }
}
