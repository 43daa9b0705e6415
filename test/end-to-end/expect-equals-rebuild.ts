import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { programCommand } from "@headrace/config/local/child-program"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { type LocalSource, localOperatorSettings } from "@headrace/config/local/local-settings"
import type { LocalPipeline } from "@headrace/config/local/start-local"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { configMapBytes } from "@headrace/shared/foundation/config-map"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { expect } from "vitest"
import { gitBlobId } from "../harness/projection-snapshot.ts"
import { readProjection } from "../harness/read-projection.ts"
import { runMarked } from "../harness/run-marked.ts"

/** What Prow's own ConfigMaps and ours are labelled with. */
const VIEW = { labelSelector: "app.kubernetes.io/component=updateconfig-plugin" }

type View = Map<string, Map<string, string>>

/**
 * Rebuilds every cluster from nothing (`apply --direct` into an empty API server), then holds the pipeline's
 * named ConfigMaps and its disk against it, file by file.
 */
export async function expectEqualsRebuild(
  pipeline: LocalPipeline,
  source: Omit<LocalSource, "pollSeconds">,
): Promise<void> {
  for (const [name, cluster] of pipeline.clusters) {
    const rebuilt = await rebuild(name, [...pipeline.clusters.keys()], source)
    const shown = await readView(cluster.kubeconfigFile)
    expect(rebuilt.size).toBeGreaterThan(0)
    expect(shown).toEqual(rebuilt)
    for (const [target, files] of rebuilt) {
      expect(await readProjection(join(cluster.folder, target))).toEqual(files)
    }
  }
}

async function rebuild(
  cluster: string,
  all: readonly string[],
  source: Omit<LocalSource, "pollSeconds">,
): Promise<View> {
  const folder = temporaryFolder("headrace-rebuild-")
  const kube = await startEmbeddedKube({ token: "rebuild", createNamespaces: true })
  try {
    const kubeconfig = join(folder, "kubeconfig")
    const settings = join(folder, "headrace.yaml")
    await writeFile(kubeconfig, kube.kubeconfig)
    const kubeconfigs = new Map(all.map((name) => [name, kubeconfig]))
    const files = { secret: join(folder, "secret"), mirrors: join(folder, "mirrors") }
    await writeFile(files.secret, "unused")
    await writeFile(settings, localOperatorSettings({ ...source, pollSeconds: 60 }, kubeconfigs, files))
    const args = ["apply", "--direct", "--config", settings, "--cluster", cluster]
    // Not a synchronous call: this process serves the API that the command writes to.
    const run = runMarked([...programCommand("bootstrapper"), ...args])
    expect(await run.ended, run.errors()).toBe(0)
    return await readView(kubeconfig)
  } finally {
    await kube.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** NAMESPACE/NAME to key to the blob id of its content, gzip undone, VERSION left out. */
async function readView(kubeconfig: string): Promise<View> {
  const client = await openLightClient({ kubeconfig, log: createLog("test", { level: "silent" }) })
  try {
    const { items } = await client.list("", VIEW)
    return new Map(
      items.map((configMap) => {
        const keys = [...configMapBytes(configMap)].filter(([key]) => key !== "VERSION")
        const { namespace, name } = configMap.metadata
        return [`${namespace}/${name}`, new Map(keys.map(([key, bytes]) => [key, gitBlobId(plain(bytes))]))]
      }),
    )
  } finally {
    client.close()
  }
}

/** The real history holds no file that is itself gzip, so here the magic number decides. */
function plain(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
