import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"

/** False when every source is a git repository and nothing is reported: no API server is then asked anything. */
export function needsCluster(settings: AgentSettings): boolean {
  if (settings.record !== undefined || settings.everyTarget !== undefined || settings.report !== undefined) {
    return true
  }
  return Object.values(settings.projections).some(({ from }) => from.some(({ live }) => live !== undefined))
}

/** The reader of an agent that has no cluster. */
export const NO_CLUSTER: ConfigMapReader = {
  get: () => Promise.reject(noCluster()),
  list: () => Promise.reject(noCluster()),
  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *watch() {
    throw noCluster()
  },
}

function noCluster(): HeadraceError {
  return new HeadraceError("agent/unexpected", "this agent follows git sources alone and has no cluster")
}
