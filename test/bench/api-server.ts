import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { rawRequest } from "../contract/raw-request.ts"
import { realKubeMissing, startRealKube } from "../harness/real-kube.ts"
import { withFolder } from "../harness/with-folder.ts"

/** An API server that can be restarted, on what it holds. */
export interface ApiServer {
  kubeconfigFile: string
  restart(): Promise<void>
  close(): Promise<void>
}

/** The real kube-apiserver where KUBEBUILDER_ASSETS names it, with these namespaces, and the embedded one elsewhere. */
export async function startApiServer(namespaces: readonly string[]): Promise<ApiServer> {
  return realKubeMissing() ? startEmbedded() : startReal(namespaces)
}

async function startReal(namespaces: readonly string[]): Promise<ApiServer> {
  const { kube, close } = await startRealKube()
  for (const name of namespaces) await rawRequest(kube, "POST", "/api/v1/namespaces", { metadata: { name } })
  return { kubeconfigFile: kube.kubeconfigFile, restart: kube.restart, close }
}

function startEmbedded(): Promise<ApiServer> {
  return new Promise((resolve, reject) => {
    withFolder(async (folder) => {
      let kube = await startEmbeddedKube({ createNamespaces: true })
      const kubeconfigFile = join(folder, "kubeconfig")
      await writeFile(kubeconfigFile, kube.kubeconfig)
      await new Promise<void>((ended) =>
        resolve({
          kubeconfigFile,
          async restart() {
            const { port, token, store } = kube
            await kube.close()
            kube = await startEmbeddedKube({ port, token, store })
          },
          async close() {
            await kube.close()
            ended()
          },
        }),
      )
    }).catch(reject)
  })
}
