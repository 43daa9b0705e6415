import { readlinkSync, watch } from "node:fs"
import { basename, join } from "node:path"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { OWN_NAMESPACE, SOURCE } from "./local-settings.ts"
import type { LocalCluster } from "./start-local.ts"
import { waitUntil } from "./wait-until.ts"

/** How long any one stage may take before the demo calls it broken. */
const LIMIT_MS = 30_000

/** When each stage of a revision's way was seen, as `performance.now()` gives it. */
export interface Timeline {
  /** Resolves when the named ConfigMap holds the revision. */
  written(commit: string): Promise<number>
  /** Resolves when the record names it; with its seq. */
  recorded(commit: string): Promise<{ at: number; seq: number }>
  /** Resolves when the projection's link points to it. */
  published(commit: string): Promise<number>
  close(): void
}

/**
 * Watches one ConfigMap, the record and one projection from outside, as any consumer could: two API
 * watches and one inotify watch. Nothing is taken from the programs' own word.
 */
export async function watchTimeline(
  cluster: LocalCluster,
  namespace: string,
  name: string,
): Promise<Timeline> {
  const stop = new AbortController()
  const client = await openLightClient({
    kubeconfig: cluster.kubeconfigFile,
    log: createLog("timeline", { level: "silent" }),
  })
  const written = new Map<string, number>()
  const recorded = new Map<string, { at: number; seq: number }>()
  const published = new Map<string, number>()

  await each(namespace, name, (configMap) => {
    const version = configMap.data?.VERSION
    if (version && !written.has(version)) written.set(version, performance.now())
  })
  await each(OWN_NAMESPACE, SOURCE, (configMap) => {
    const record = readRecord(configMap)
    if (record.commit && !recorded.has(record.commit)) {
      recorded.set(record.commit, { at: performance.now(), seq: record.token.seq })
    }
  })
  const projection = join(cluster.folder, namespace, name)
  const onDisk = watch(projection, () => {
    const commit = basename(readlinkSync(join(projection, "..data")))
    if (!published.has(commit)) published.set(commit, performance.now())
  })

  /** Starts at the state as it is now and follows it, in the background. */
  async function each(space: string, object: string, seen: (configMap: ConfigMap) => void): Promise<void> {
    const fieldSelector = `metadata.name=${object}`
    const { resourceVersion } = await client.list(space, { fieldSelector }, stop.signal)
    const follow = async () => {
      for await (const event of client.watch(space, { fieldSelector, resourceVersion }, stop.signal)) {
        if (event.type === "added" || event.type === "modified") seen(event.object)
      }
    }
    // Ends by the abort in close(); a watch that breaks shows as a stage that never comes.
    follow().catch(() => undefined)
  }

  return {
    written: (commit) =>
      waitUntil("the ConfigMap", () => written.get(commit), { limitMs: LIMIT_MS, everyMs: 5 }),
    recorded: (commit) =>
      waitUntil("the record", () => recorded.get(commit), { limitMs: LIMIT_MS, everyMs: 5 }),
    published: (commit) =>
      waitUntil("the file on disk", () => published.get(commit), { limitMs: LIMIT_MS, everyMs: 5 }),
    close() {
      stop.abort()
      onDisk.close()
      client.close()
    },
  }
}
