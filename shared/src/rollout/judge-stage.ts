import type { RolloutSettings } from "../settings/rollout-settings.ts"
import type { WatchedStage } from "./watched-stage.ts"

/** What is known of the http and prometheus checks of a cluster's stage, as of the last look (watched-checks.ts). */
export interface CheckedEndpoint {
  /** Names it: the URL, or the query. */
  name: string
  /** What it answered; null: nothing yet. */
  state: "passing" | "failing" | null
  why: string
  /** True once it has passed since the bake time was over. */
  confirmed: boolean
}

/** Of a stage: `holdUp` names what it waits for, `why` what failed. */
export type Verdict =
  | { kind: "passed" }
  | { kind: "baking"; milliseconds: number }
  | { kind: "waiting"; holdUp: string[] }
  | {
      kind: "failed"
      code: "rollout/node-failed" | "rollout/node-silent" | "rollout/check-failed"
      why: string
    }

/**
 * Judges a stage by what was watched of it. It passes when its bake time is over, every node that it rests on shows this
 * candidate with all checks passing, and from each one such report has come after the bake time. A node that is gone or
 * silent holds it up, and fails it after `within`: never does it leave the count. Pure.
 */
export function judgeStage(
  { health, bake }: { health: RolloutSettings["health"]; bake: number },
  watched: WatchedStage,
  endpoints: readonly CheckedEndpoint[],
): Verdict {
  const { healthy, within } = health.nodes
  const nodes = [...watched.nodes]
  const needed = Math.ceil(healthy * nodes.length)
  const failed = nodes.filter(([, { state }]) => state.kind === "failed")
  const silent = nodes.filter(([, { state, unmet }]) => state.kind !== "failed" && unmet > within)
  if (nodes.length - failed.length - silent.length < needed) {
    const [name = "", node] = failed[0] ?? silent[0] ?? []
    const why = node && node.state.kind !== "shows" ? node.state.why : "no report has come"
    const code = failed.length > 0 ? "rollout/node-failed" : "rollout/node-silent"
    return { kind: "failed", code, why: `node ${name}: ${why}` }
  }
  const red = endpoints.find(({ state }) => state === "failing")
  if (red) return { kind: "failed", code: "rollout/check-failed", why: `${red.name}: ${red.why}` }
  if (nodes.length === 0 && endpoints.length === 0) {
    return { kind: "waiting", holdUp: ["no node to judge by, and no http or prometheus check"] }
  }
  const short = nodes.filter(([, { state }]) => state.kind !== "shows")
  if (nodes.length - short.length < needed) {
    return { kind: "waiting", holdUp: short.map(([name, { state }]) => `node ${name}: ${whyOf(state)}`) }
  }
  if (watched.watched < bake) return { kind: "baking", milliseconds: bake - watched.watched }
  const unconfirmed = nodes.filter(([, { confirmed }]) => !confirmed)
  const open = endpoints.filter(({ confirmed }) => !confirmed)
  if (nodes.length - unconfirmed.length < needed || open.length > 0) {
    const names = unconfirmed.map(([name]) => `node ${name}: no report since the bake time`)
    return {
      kind: "waiting",
      holdUp: [...names, ...open.map(({ name }) => `${name}: no answer since the bake time`)],
    }
  }
  return { kind: "passed" }
}

function whyOf(state: { kind: string; why?: string }): string {
  return state.why ?? state.kind
}
