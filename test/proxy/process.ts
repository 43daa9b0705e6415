import { randomUUID } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { systemClock } from "@headrace/shared/foundation/clock"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { inNamespaces } from "../model/in-namespaces.ts"
import type { ApiServer } from "./api-server.ts"
import type { Door, DoorOptions } from "./door.ts"
import type { PerturbingProxy } from "./perturbing-proxy.ts"

/** Where processes run: before which API server, behind which proxy. */
export interface ProcessPlace {
  server: ApiServer
  proxy: PerturbingProxy
  /** The names that processes know namespaces by, to the server's. */
  namespaces: ReadonlyMap<string, string>
  /** For kubeconfigs and projections. */
  folder: string
}

/** One of our processes, as the API server knows it: a client of its own, behind a door of its own. */
export interface Process {
  kube: ConfigMapWriter
  door: Door
  close(): void
}

const SILENT = createLog("proxy", { level: "silent" })
/** As many tries as in service, without the waits. */
const RETRY = { attempts: 4, backoff: { first: 1, limit: 4 }, clock: systemClock }

/** Starts a process with client-node's adapter, as plugin and bootstrapper have it. */
export async function startProcess(place: ProcessPlace, options: DoorOptions = {}): Promise<Process> {
  const { door, url } = place.proxy.openDoor(options)
  const kubeconfig = await writeKubeconfig(place, url)
  const client = await connectCluster("east", { kubeconfig }, SILENT, { retry: RETRY })
  return { kube: inNamespaces(client, place.namespaces), door, close: () => client.close() }
}

/** Writes a kubeconfig for the server at `url`, which is a door's; gives its path. */
export async function writeKubeconfig(
  { server, folder }: Pick<ProcessPlace, "server" | "folder">,
  url: string,
): Promise<string> {
  const file = join(folder, randomUUID())
  await writeFile(file, embeddedKubeconfig(url, server.token), { mode: 0o600 })
  return file
}
