import { createByteRoom } from "@headrace/shared/foundation/byte-room"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { type LightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import type { Log } from "@headrace/shared/observe/log"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"

/** False when every source is a git repository and nothing is reported: no API server is then asked anything. */
function needsCluster(settings: AgentSettings): boolean {
  if (settings.record !== undefined || settings.everyTarget !== undefined || settings.report !== undefined) {
    return true
  }
  return Object.values(settings.projections).some(({ from }) => from.some(({ live }) => live !== undefined))
}

/**
 * A client of the settings' cluster; undefined when none is needed. Throws UsageError `kube/kubeconfig` or
 * `kube/not-in-cluster`.
 */
export async function openCluster(settings: AgentSettings, log: Log): Promise<LightClient | undefined> {
  if (!needsCluster(settings)) return undefined
  const { kubeconfig, context, bounds } = settings
  const { answer, list } = bounds
  return openLightClient({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    log,
    limits: { answer, list, room: createByteRoom(answer), culprit: "api-server" },
  })
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
