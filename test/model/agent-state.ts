import type { Floors, Origin } from "@headrace/agent/store/origin"
import { CLUSTERS } from "./model-rules.ts"
import type { Source } from "./model-sources.ts"

/** A node's projection at one path: what it follows may change, its floors stay. */
export interface Agent {
  follows: { cluster: string; source: Source }
  floors: Floors
  shown: Origin | undefined
}

/** One for each cluster, and each follows its cluster's first source at the start. */
export function modelAgents(): Agent[] {
  return CLUSTERS.map((cluster) => ({
    follows: { cluster, source: "release" },
    floors: { latest: [], others: [] },
    shown: undefined,
  }))
}
