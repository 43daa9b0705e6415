import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { startRealKube } from "../harness/real-kube.ts"

/** An API server to perturb the way to. */
export interface ApiServer {
  url: string
  token: string
  close(): Promise<void>
}

export async function openRealServer(): Promise<ApiServer> {
  const { kube, close } = await startRealKube()
  return { url: kube.url, token: kube.token, close }
}

export async function openEmbeddedServer(): Promise<ApiServer> {
  const kube = await startEmbeddedKube()
  return { url: kube.url, token: kube.token, close: () => kube.close() }
}
