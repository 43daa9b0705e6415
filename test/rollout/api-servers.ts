import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import { rawRequest } from "../contract/raw-request.ts"
import { realKubeMissing, startRealKube } from "../harness/real-kube.ts"
import { CLUSTERS } from "./fleet-plan.ts"

/** An API server as a process of its own. */
export interface ApiServerProcess {
  kubeconfigFile: string
  close(): Promise<void>
}

const TOKEN = "a token of the tests"
const EMBEDDED = join(import.meta.dirname, "../harness/kube-process.ts")

/** One for each cluster with these namespaces: real ones where KUBEBUILDER_ASSETS names them. */
export async function startApiServers(
  folder: string,
  namespaces: readonly string[],
): Promise<ReadonlyMap<string, ApiServerProcess>> {
  const isReal = realKubeMissing() === undefined
  const started = new Map<string, ApiServerProcess>()
  for (const cluster of CLUSTERS) {
    started.set(cluster, isReal ? await startReal(namespaces) : await startEmbedded(folder, cluster))
  }
  return started
}

async function startReal(namespaces: readonly string[]): Promise<ApiServerProcess> {
  const { kube, close } = await startRealKube()
  for (const name of namespaces) {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
    const { status } = await rawRequest(kube, "POST", "/api/v1/namespaces", body)
    if (status !== 201) throw new Error(`namespace ${name}: ${status}`)
  }
  return { kubeconfigFile: kube.kubeconfigFile, close }
}

async function startEmbedded(folder: string, cluster: string): Promise<ApiServerProcess> {
  const port = await freePort()
  const kubeconfigFile = join(folder, `${cluster}.kubeconfig`)
  await writeFile(kubeconfigFile, embeddedKubeconfig(`http://127.0.0.1:${port}`, TOKEN))
  const child = fork(EMBEDDED, [String(port), TOKEN], {
    execArgv: ["--conditions=source", "--no-warnings"],
  })
  const answered = once(child, "message")
  child.send("up")
  await answered
  return { kubeconfigFile, close: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit")
  child.disconnect()
  await ended
}
