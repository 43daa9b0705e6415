import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { inProcessClient } from "@headrace/shared/kube/embedded/in-process-client"
import { ObjectStore } from "@headrace/shared/kube/embedded/object-store"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory } from "@headrace/shared/reconcile/reconcile-memory"
import type { ReconcilePorts, ReconcileSettings } from "@headrace/shared/reconcile/reconcile-ports"
import type { Record } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { type ModelRepository, modelRepository } from "./model-repository.ts"

/** Two targets, one of them in another cluster too. */
export const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/**/*.txt: {name: beta, use_full_path_as_key: true, gzip: true, clusters: {east: [ci], west: [ci]}}
`
export const quiet = new AbortController().signal

/** One source in one cluster, to reconcile by hand. */
export interface Site {
  repository: ModelRepository
  kube: ConfigMapWriter
  ports: ReconcilePorts
  /** Writes that the API server took. */
  writes: string[]
  run(mode?: "incremental" | "full"): ReturnType<typeof reconcile>
  commit(files: { [path: string]: string | undefined }): string
  record(): Promise<Record>
  data(name: string): Promise<{ [key: string]: string }>
}

export function site(files: { [path: string]: string }, settings: Partial<ReconcileSettings> = {}): Site {
  const repository = modelRepository(new Map(Object.entries({ "rules.yaml": RULES, ...files })))
  const inner = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const writes: string[] = []
  const kube: ConfigMapWriter = {
    ...inner,
    create: (configMap) => counted("create", configMap, () => inner.create(configMap)),
    replace: (configMap) => counted("replace", configMap, () => inner.replace(configMap)),
    remove: (configMap) => counted("remove", configMap, () => inner.remove(configMap)),
  }
  async function counted<Result>(verb: string, configMap: ConfigMap, call: () => Promise<Result>) {
    const result = await call()
    writes.push(`${verb} ${configMap.metadata.name.replace(/-[0-9a-f]{40}$/, "")}`)
    return result
  }
  const ports: ReconcilePorts = {
    kube,
    repository,
    rulesRepository: repository,
    clock: { now: () => Date.now(), sleep: async () => {} },
    log: createLog("test", { level: "silent" }),
    memory: createReconcileMemory(),
    settings: {
      namespace: "headrace",
      repo: "org/repo",
      rulesPath: "rules.yaml",
      strict: false,
      foreignKeys: "remove",
      allowForcePush: false,
      defaults: { cluster: "east", namespace: "ci" },
      guard: { deletedKeys: 0.5, deletedConfigMaps: 0.5, atLeast: 1 },
      clusters: new Map([
        ["east", {}],
        ["west", {}],
      ]),
      store: true,
      ...settings,
    },
  }
  async function record() {
    const configMap = await kube.get("headrace", "release")
    if (configMap === undefined) throw new Error("no record")
    return readRecord(configMap)
  }
  return {
    repository,
    kube,
    ports,
    writes,
    record,
    run: (mode = "incremental") => reconcile({ cluster: "east", source: "release", mode }, ports, quiet),
    commit(changes) {
      const next = new Map(repository.filesAt(repository.tip()))
      for (const [path, content] of Object.entries(changes)) {
        if (content === undefined) next.delete(path)
        else next.set(path, content)
      }
      repository.push(repository.add([repository.tip()], next))
      return repository.tip()
    },
    async data(name) {
      const { VERSION: _, ...rest } = (await kube.get("ci", name))?.data ?? {}
      return rest
    },
  }
}
