import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import type { KubeObject } from "@headrace/config/local/embedded-kube/kube-object"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { parseConfigMap } from "@headrace/shared/kube/protocol/config-map-json"
import { rawRequest } from "../contract/raw-request.ts"
import { moved } from "../model/in-namespaces.ts"
import { NAMESPACES } from "../model/model-rules.ts"
import { FIRST_SETTINGS } from "../model/model-settings.ts"
import { OWN_NAMESPACE } from "../model/model-sources.ts"
import type { MonitoredCluster } from "../model/monitored-cluster.ts"
import { createSimulation, type Simulation, type SimulationOptions } from "../model/simulation.ts"
import { invariantWatcher } from "../model/watch-invariants.ts"
import type { ApiServer } from "./api-server.ts"
import type { SeenWrite } from "./door.ts"
import { startPerturbingProxy } from "./perturbing-proxy.ts"
import { type ProcessPlace, startProcess } from "./process.ts"

/** A cluster in namespaces of its own, behind a proxy of its own, and everything that the model expects of it. */
export interface Site extends ProcessPlace {
  simulation: Simulation
  cluster: MonitoredCluster
  /** Of every write that took effect. */
  violations: unknown[]
  /** Called with every write of a process: the model's invariants are checked. */
  onWrite(write: SeenWrite): Promise<void>
}

/** The cluster of the model that has every kind of target. */
const CLUSTER = "east"

/** Runs `use` with a cluster that is new: nothing was ever written to it. Throws the first violation. */
export async function withSite<T>(
  server: ApiServer,
  options: SimulationOptions,
  use: (site: Site) => Promise<T>,
): Promise<T> {
  const namespaces = await createNamespaces(server)
  const ownNames = new Map([...namespaces].map(([own, real]) => [real, own]))
  const proxy = await startPerturbingProxy(server, (namespace) => ownNames.get(namespace) ?? namespace)
  const folder = temporaryFolder("headrace-proxy-")
  const violations: unknown[] = []
  try {
    const direct = await startProcess({ server, proxy, namespaces, folder })
    const simulation = createSimulation(
      { ...options, clients: new Map([[CLUSTER, direct.kube]]) },
      // Writes are seen by the proxy: that of a process that was killed, too.
      async () => undefined,
    )
    const watch = invariantWatcher(() => simulation)
    const cluster = simulation.clusters.find(({ name }) => name === CLUSTER)
    if (cluster === undefined) throw new Error(`the model has no cluster ${CLUSTER}`)
    const site: Site = {
      server,
      proxy,
      namespaces,
      simulation,
      cluster,
      violations,
      folder,
      async onWrite({ before, after }) {
        const objects = { before: configMapOf(before), after: configMapOf(after) }
        const write = { by: "reconcile" as const, settings: FIRST_SETTINGS, ...objects }
        cluster.writes.push(write)
        await watch(cluster, write).catch((error: unknown) => violations.push(error))
      },
    }
    try {
      const result = await use(site)
      if (violations.length > 0) throw violations[0]
      return result
    } finally {
      direct.close()
    }
  } finally {
    await proxy.close()
    await rm(folder, { recursive: true, force: true })
  }

  function configMapOf(object: KubeObject | undefined) {
    return object && moved(parseConfigMap(object), ownNames)
  }
}

async function createNamespaces(server: ApiServer): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  for (const own of [...NAMESPACES, OWN_NAMESPACE, "kube-system"]) {
    const name = `p-${randomBytes(5).toString("hex")}`
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
    const { status } = await rawRequest(server, "POST", "/api/v1/namespaces", body)
    if (status !== 201) throw new Error(`namespace ${name}: ${status}`)
    names.set(own, name)
  }
  return names
}
