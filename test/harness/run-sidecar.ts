import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runSidecar } from "@headrace/agent/k8s-sidecar/run-sidecar"
import { sidecarSettings } from "@headrace/agent/k8s-sidecar/sidecar-settings"
import { CONFIG_MAPS, SECRETS } from "@headrace/config/local/embedded-kube/resource-kind"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "./with-folder.ts"
import { type TestKube, withKube } from "./with-kube.ts"

/** An object to write; `annotations` and `labels` beside its content. */
export interface TestObject {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  data?: Record<string, string>
  binaryData?: Record<string, string>
}

/** A cluster whose objects a sidecar shows below `folder`; the pod's own namespace is `own`. */
export interface SidecarSite {
  kube: TestKube
  folder: string
  /** Creates or replaces `NAMESPACE/NAME`. */
  put(place: string, object: TestObject, kind?: "ConfigMap" | "Secret"): void
  remove(place: string, kind?: "ConfigMap" | "Secret"): void
  /** Starts a sidecar by its variables; KUBECONFIG and HEALTH_PORT are given. */
  start(env: Record<string, string>, clock?: Clock): RunningSidecar
}

export interface RunningSidecar {
  log(): Record<string, unknown>[]
  ended: Promise<void>
  stop(): Promise<void>
}

export async function withSidecarSite(fn: (site: SidecarSite) => Promise<void>): Promise<void> {
  await withFolder((folder) =>
    withKube(async (kube) => {
      const namespaceFile = join(folder, "namespace")
      await writeFile(namespaceFile, "own")
      const started: RunningSidecar[] = []
      const site: SidecarSite = {
        kube,
        folder,
        put(place, { labels = {}, annotations = {}, data, binaryData }, kind = "ConfigMap") {
          const [namespace = "", name = ""] = place.split("/")
          const of = kind === "Secret" ? SECRETS : CONFIG_MAPS
          const content = kind === "Secret" ? { stringData: data } : { data, binaryData }
          const body = { metadata: { namespace, name, labels, annotations }, ...content }
          if (kube.store.has(of, namespace, name)) kube.store.replace(of, namespace, name, body)
          else kube.store.create(of, namespace, body)
        },
        remove(place, kind = "ConfigMap") {
          const [namespace = "", name = ""] = place.split("/")
          kube.store.remove(kind === "Secret" ? SECRETS : CONFIG_MAPS, namespace, name)
        },
        start(env, clock = systemClock) {
          const running = start(
            { HEALTH_PORT: "0", HEALTH_HOST: "127.0.0.1", KUBECONFIG: kube.kubeconfigFile, ...env },
            { namespaceFile, clock },
          )
          started.push(running)
          return running
        },
      }
      try {
        await fn(site)
      } finally {
        await Promise.all(started.map((running) => running.stop()))
      }
    }),
  )
}

function start(env: Record<string, string>, ports: { namespaceFile: string; clock: Clock }): RunningSidecar {
  const lines: string[] = []
  const log = createLog("k8s-sidecar", { level: "debug", destination: { write: (line) => lines.push(line) } })
  const stop = new AbortController()
  const reason = new Error("the test ends it")
  const ended = runSidecar(sidecarSettings(env), { log, ...ports }, stop.signal).catch((error: unknown) => {
    if (error !== reason) throw error
  })
  ended.catch(() => undefined)
  return {
    log: () => lines.map((line) => JSON.parse(line)),
    ended,
    async stop() {
      stop.abort(reason)
      await ended.catch(() => undefined)
    },
  }
}
