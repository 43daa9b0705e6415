import type { ApiServer } from "./api-server.ts"
import type { Call } from "./call.ts"
import type { Door } from "./door.ts"
import { MERGES, pushChanges } from "./merges.ts"
import { createNode, type NodeOptions } from "./node.ts"
import type { EventPerturbation, Perturbation } from "./perturbation.ts"
import { settle } from "./settle.ts"
import { withSite } from "./site.ts"

/** One perturbation of a node that follows a merge. */
export interface NodePoint {
  /** The agent runs when the merge comes, or starts afterwards. */
  agent: "runs" | "starts"
  /** A call, or the number of an event of its watch. */
  at: string | number
  does: Perturbation["does"] | EventPerturbation
  /** How many answers ago. */
  ago: number
}

const ON_READS = ["lose request", "lose answer", "crash before", "crash after"] as const
const ON_WATCHES = ["lose request", "expire"] as const
const ON_EVENTS = ["swallow", "cut", "go back"] as const
/** The intent that is opened, and the swap. */
const EVENTS = [1, 2]
const TRIES = 3

/** Follows a merge unperturbed, and lists everything that can happen to a call or an event. */
export async function listNodePoints(server: ApiServer): Promise<NodePoint[]> {
  const points: NodePoint[] = EVENTS.flatMap((at) =>
    ON_EVENTS.map((does) => ({ agent: "runs" as const, at, does, ago: 0 })),
  )
  for (const agent of ["runs", "starts"] as const) {
    await followMerge(server, agent, { countsEarlier: true }, ({ calls, earlier }) => {
      points.push(...calls.flatMap((call) => pointsOf(agent, call, earlier.get(call) ?? 0)))
    })
  }
  return points
}

function pointsOf(agent: NodePoint["agent"], call: Call, earlier: number): NodePoint[] {
  const at = call.point
  const stale = Array.from({ length: earlier }, (_, index) => index + 1)
  return [
    ...stale.map((ago) => ({ agent, at, does: "stale" as const, ago })),
    ...(call.verb === "watch" ? ON_WATCHES : ON_READS).map((does) => ({ agent, at, does, ago: 0 })),
  ]
}

/**
 * Plays one point. Gives how often something was perturbed. Throws the first violation. On a busy machine a watch may begin
 * after an event that it was to have: then it is played again.
 */
export async function playNodePoint(server: ApiServer, point: NodePoint): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const done = await playOnce(server, point)
    if (done > 0) return done
  }
  throw new Error("nothing was perturbed")
}

async function playOnce(server: ApiServer, { agent, at, does, ago }: NodePoint): Promise<number> {
  let events = 0
  const perturb = (call: Call) =>
    call.point === at ? (does === "stale" ? { does, ago } : ({ does } as Perturbation)) : undefined
  const perturbEvent = () => {
    events += 1
    return events === at ? (does as EventPerturbation) : undefined
  }
  return followMerge(server, agent, { perturb, perturbEvent })
}

/** Gives how often something was perturbed; `seen` is given the agent's door once all is shown. */
async function followMerge(
  server: ApiServer,
  agent: NodePoint["agent"],
  options: NodeOptions,
  seen: (door: Door) => void = () => undefined,
): Promise<number> {
  const [, merge] = MERGES
  if (merge === undefined) throw new Error("there is no merge to follow")
  return withSite(server, {}, async (site) => {
    for (const earlier of merge.before) {
      pushChanges(site, earlier)
      await settle(site, ["release"])
    }
    const node = createNode(site)
    try {
      let door = await node.start(agent === "runs" ? options : {})
      await node.untilShown()
      if (agent === "starts") await node.stop()
      pushChanges(site, merge.changes)
      await settle(site, ["release"])
      if (agent === "starts") door = await node.start(options)
      await node.untilShown()
      seen(door)
      return site.proxy.done.length
    } finally {
      await node.stop()
    }
  })
}

/** For messages: `the agent starts: get headrace/index-… 1, stale 1`. */
export function nodePointText({ agent, at, does, ago }: NodePoint): string {
  const place = typeof at === "number" ? `event ${at}` : at
  return `the agent ${agent}: ${place}, ${does}${ago > 0 ? ` ${ago}` : ""}`
}
