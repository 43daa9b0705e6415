import { nodeHash } from "@headrace/shared/record/takes-candidate"

/** A node of the fleet, and the first of the stages that reaches it. */
export interface StagedNode {
  name: string
  cluster: Cluster
  /** Place in STAGES. */
  stage: number
}

type Cluster = "canary" | "build"

export const SOURCE = "release"
export const NAMESPACE = "headrace"
export const CLUSTERS = ["canary", "build"] as const

/** Short ones: what takes time in a stage are the reports that it waits for. */
export const STAGES = [
  { clusters: ["canary"], nodes: "20%", bake: "100ms" },
  { clusters: ["build"], nodes: "20%", bake: "100ms" },
  { bake: "100ms" },
]

const NODES_EACH = 10
const FIRST_SHARE = 2

/** Ten nodes in each cluster; two of them, by their hashes, are in its first stage. */
export const NODES: readonly StagedNode[] = CLUSTERS.flatMap((cluster, index) => {
  const names = Array.from({ length: NODES_EACH }, (_, number) => `${cluster}-${number}`)
  const inOrder = names.sort((a, b) => nodeHash(SOURCE, a) - nodeHash(SOURCE, b))
  return inOrder.map((name, place) => ({ name, cluster, stage: place < FIRST_SHARE ? index : 2 }))
})

/** What a commit says of itself, and the stage in which it fails: consumers of that stage and later ones notice. */
export const STATES = {
  good: undefined,
  "bad in the first stage": 0,
  "bad in the second stage": 1,
  "bad in the last stage": 2,
} as const
export type State = keyof typeof STATES

/** True where the consumer of a node does not work with a commit of this state. */
export function failsOn(state: State, node: StagedNode): boolean {
  const stage = STATES[state]
  return stage !== undefined && node.stage >= stage
}

/** The nodes that a commit of this state can reach before it is stopped. */
export function mayReach(state: State): StagedNode[] {
  const stage = STATES[state]
  return NODES.filter((node) => stage === undefined || node.stage <= stage)
}
