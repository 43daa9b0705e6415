import { readlinkSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { basename, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { NODES, type StagedNode } from "./fleet-plan.ts"
import { recordsNow } from "./seen-records.ts"
import type { StagedSite } from "./staged-site.ts"

const LOOK_MS = 100

/** What the disks of all nodes show and have shown, read from outside. */
export interface ShownCommits {
  /** The commit that a node shows; undefined: none. */
  now(node: StagedNode): string | undefined
  /**
   * Waits, at a short interval, until the condition holds; gives the time (performance.now()). Throws after the limit, in ms,
   * with what every record and node shows then.
   */
  until(what: string, condition: () => boolean | Promise<boolean>, limit: number): Promise<number>
  /** The nodes that have ever had this commit on disk: a slot stays, however short it was shown. */
  everOn(commit: string): Promise<StagedNode[]>
}

export function watchShown(site: Pick<StagedSite, "projectionOf" | "signal" | "clusters">): ShownCommits {
  return {
    now: (node) => linked(site.projectionOf(node)),
    async until(what, condition, limit) {
      const end = performance.now() + limit
      while (!(await condition())) {
        if (performance.now() > end)
          throw new Error(`not within ${limit / 1000} s: ${what}: ${await stateOf(site)}`)
        await delay(LOOK_MS, undefined, { signal: site.signal })
      }
      return performance.now()
    },
    async everOn(commit) {
      const found = await Promise.all(
        NODES.map(async (node) => ((await hasSlot(site.projectionOf(node), commit)) ? [node] : [])),
      )
      return found.flat()
    },
  }
}

/** What every record and node shows, for people. */
async function stateOf(site: Pick<StagedSite, "projectionOf" | "clusters">): Promise<string> {
  const records = [...(await recordsNow(site))].map(([cluster, { commit, candidate, rejected, stopped }]) => {
    const tries = candidate ? `, tries ${short(candidate.commit)} in stage ${candidate.stage + 1}` : ""
    const returned = rejected ? `, rejected ${short(rejected.commit)}: ${rejected.reason}` : ""
    return `${cluster} is at ${short(commit)}${tries}${returned}${stopped ? `, stopped: ${stopped.message}` : ""}`
  })
  const nodes = NODES.map((node) => `${node.name} ${short(linked(site.projectionOf(node)))}`)
  return `${records.join("; ")}; nodes: ${nodes.join(", ")}`
}

function short(commit: string | null | undefined): string {
  return commit?.slice(0, 8) ?? "nothing"
}

function linked(projection: string): string | undefined {
  try {
    return basename(readlinkSync(join(projection, "..data")))
  } catch {
    return undefined
  }
}

/** A revision's slot is `..rev/NUMBER/COMMIT`. */
async function hasSlot(projection: string, commit: string): Promise<boolean> {
  const slots = join(projection, "..rev")
  const numbers = await readdir(slots).catch((): string[] => [])
  const inside = await Promise.all(
    numbers.map((number) => readdir(join(slots, number)).catch((): string[] => [])),
  )
  return inside.some((names) => names.includes(commit))
}
