import type { SimulationOptions } from "../model/simulation.ts"
import type { ApiServer } from "./api-server.ts"
import { type Call, isWrite } from "./call.ts"
import { type Merge, pushChanges } from "./merges.ts"
import type { Perturbation } from "./perturbation.ts"
import { checkSettled, checkUnchanged, settle } from "./settle.ts"
import type { Site } from "./site.ts"
import { withSite } from "./site.ts"
import { startWriter } from "./writer.ts"

/** One perturbation of one merge; `call` undefined: of every read of its run. */
export interface Point {
  merge: Merge
  call: string | undefined
  does: Perturbation["does"]
  /** How many answers, or writes, ago. */
  ago: number
  /** What comes after it: the merge's next one, or nothing. */
  followedBy: "next" | "nothing"
}

const ON_READS = ["lose request", "pause"] as const
const ON_WRITES = [
  "lose request",
  "lose answer",
  "time out",
  "crash before",
  "crash after",
  "pause",
  "arrive late",
] as const
/** How far behind a server is that answers every read of a run. */
const BEHIND = [1, 2, 3, 5, 8, 13, 21]

/** Plays a merge unperturbed, and lists everything that can happen to each of its calls. */
export async function listWriterPoints(server: ApiServer, merge: Merge): Promise<Point[]> {
  return withSite(server, {}, async (site) => {
    await showBefore(site, merge)
    pushChanges(site, merge.changes)
    const writer = await startWriter(site, { countsEarlier: true })
    await writer.reconcile("release", "incremental")
    writer.close()
    const { calls, earlier } = writer.door
    return [
      ...calls.flatMap((call) => pointsOf(merge, call, earlier.get(call) ?? 0)),
      ...BEHIND.map((ago) => ({ ...NEXT, merge, call: undefined, does: "behind" as const, ago })),
    ]
  })
}

const NEXT = { followedBy: "next", ago: 0 } as const
const NOTHING = { followedBy: "nothing", ago: 0 } as const

function pointsOf(merge: Merge, call: Call, earlier: number): Point[] {
  const at = { merge, call: call.point }
  const stale = Array.from({ length: earlier }, (_, index) => index + 1)
  if (isWrite(call)) {
    return ON_WRITES.flatMap((does) => [
      { ...at, ...NEXT, does },
      { ...at, ...NOTHING, does },
    ])
  }
  return [
    ...stale.map((ago) => ({ ...at, ...NEXT, does: "stale" as const, ago })),
    ...ON_READS.map((does) => ({ ...at, ...NEXT, does })),
  ]
}

/**
 * Plays one point: the perturbed run, what is merged next by it or by the process that takes its place, and all
 * invariants afterwards. Gives how often something was perturbed. Throws the first violation.
 */
export async function playWriterPoint(
  server: ApiServer,
  point: Point,
  options: SimulationOptions = {},
): Promise<number> {
  return withSite(server, options, async (site) => {
    await showBefore(site, point.merge)
    pushChanges(site, point.merge.changes)
    let isNext = false
    async function goOn(): Promise<void> {
      if (isNext) return
      isNext = true
      if (point.followedBy === "next") pushChanges(site, point.merge.next)
      await settle(site, ["release"])
    }
    let isOver = false
    const perturb = perturber(point, goOn)
    const writer = await startWriter(site, { perturb: (call) => (isOver ? undefined : perturb(call)) })
    await writer.reconcile("release", "incremental")
    isOver = true
    await goOn()
    await writer.door.settled()
    // Nobody reconciles afterwards: what a late writer has spoilt stays so.
    await checkSettled(site, ["release"])
    if (!writer.isKilled()) await settle(site, ["release"], writer)
    writer.close()
    await checkSettled(site, ["release"])
    await checkUnchanged(site, ["release"])
    if (site.proxy.done.length === 0) throw new Error("nothing was perturbed")
    return site.proxy.done.length
  })
}

/** Shows what was merged before, by a process of its own. */
async function showBefore(site: Site, { before }: Merge): Promise<void> {
  for (const changes of before) {
    pushChanges(site, changes)
    await settle(site, ["release"])
  }
}

function perturber({ call, does, ago }: Point, until: () => Promise<void>) {
  return function perturb(found: Call): Perturbation | undefined {
    if (does === "behind") return isWrite(found) ? undefined : { does, writes: ago }
    if (found.point !== call) return undefined
    if (does === "stale") return { does, ago }
    if (does === "pause" || does === "arrive late") return { does, until }
    return { does } as Perturbation
  }
}

/** For messages: `a merge: get ci/alpha 2, stale 1; next follows`. */
export function pointText({ merge, call, does, ago, followedBy }: Point): string {
  return `${merge.name}: ${call ?? "every read"}, ${does}${ago > 0 ? ` ${ago}` : ""}; ${followedBy} follows`
}
