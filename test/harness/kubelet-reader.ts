import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"

/**
 * Reads the ConfigMaps of a namespace as a kubelet does for the pods that mount them: it watches, and shows each
 * whole object as it comes. By the watch it sees every version, none between two looks is missed.
 */
export interface KubeletReader {
  /** The keys of each ConfigMap that the branch's tip gives it; to be set before the tip moves. */
  tip: ReadonlyMap<string, readonly string[]>
  /** `name/key` of every key that was there, that the tip has, and that a version lacked. */
  vanished: string[]
  /** Versions seen. */
  versions: number
  /** What it shows now. */
  shown: ReadonlyMap<string, ConfigMap>
}

/** Reads while `use` runs. */
export async function withKubeletReader<T>(
  kubeconfig: string,
  namespace: string,
  use: (reader: KubeletReader) => Promise<T>,
): Promise<T> {
  const client = await connectCluster("kubelet", { kubeconfig }, createLog("kubelet", { level: "silent" }))
  const shown = new Map<string, ConfigMap>()
  const reader: KubeletReader = { tip: new Map(), vanished: [], versions: 0, shown }
  const stop = new AbortController()
  const seen = new Set<string>()

  function show(name: string, object: ConfigMap | undefined): void {
    reader.versions += 1
    const keys = new Set(Object.keys({ ...object?.data, ...object?.binaryData }))
    for (const key of reader.tip.get(name) ?? []) {
      if (seen.has(`${name}/${key}`) && !keys.has(key)) reader.vanished.push(`${name}/${key}`)
    }
    for (const key of keys) seen.add(`${name}/${key}`)
    if (object) shown.set(name, object)
    else shown.delete(name)
  }

  const { items, resourceVersion } = await client.list(namespace, {})
  for (const item of items) show(item.metadata.name, item)
  const watching = (async () => {
    for await (const event of client.watch(namespace, { resourceVersion }, stop.signal)) {
      if (event.type === "bookmark") continue
      show(event.object.metadata.name, event.type === "deleted" ? undefined : event.object)
    }
    throw new Error("the watch has ended before the test")
  })()
  // A failure is reported at the end; until then it must not end the process.
  watching.catch(() => undefined)
  try {
    const result = await use(reader)
    stop.abort()
    await watching.catch((error: unknown) => {
      if (!stop.signal.aborted || !isAbort(error)) throw error
    })
    return result
  } finally {
    stop.abort()
    client.close()
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError"
}
