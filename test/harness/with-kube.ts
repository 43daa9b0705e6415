import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  type EmbeddedKube,
  type EmbeddedKubeOptions,
  startEmbeddedKube,
} from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"

/** An API server to test against, with a kubeconfig on disk. */
export interface TestKube extends EmbeddedKube {
  kubeconfigFile: string
}

/**
 * Runs a test with an embedded API server of its own and ends it afterwards. Any namespace can be written
 * to unless the options say otherwise.
 */
export async function withKube<T>(
  test: (kube: TestKube) => Promise<T>,
  options: EmbeddedKubeOptions = {},
): Promise<T> {
  const folder = temporaryFolder("headrace-kube-")
  const kube = await startEmbeddedKube({ createNamespaces: true, ...options })
  try {
    const kubeconfigFile = join(folder, "kubeconfig")
    await writeFile(kubeconfigFile, kube.kubeconfig, { mode: 0o600 })
    return await test({ ...kube, kubeconfigFile })
  } finally {
    await kube.close()
    await rm(folder, { recursive: true, force: true })
  }
}

export { realKubeMissing, withRealKube } from "./real-kube.ts"
