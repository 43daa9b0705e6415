import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcilePorts, ReconcileSettings } from "@headrace/shared/reconcile/run/ports"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { type ModelRepository, modelRepository } from "../model/model-repository.ts"
import { reconcilePorts } from "./reconcile-ports.ts"

/** Two targets, one of them in another cluster too. */
export const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/**/*.txt: {name: beta, use_full_path_as_key: true, gzip: true, clusters: {east: [ci], west: [ci]}}
`
export const quiet = new AbortController().signal
/** What the clock of a fixture says: the epoch of its first record. */
export const FIXTURE_START = Date.UTC(2026, 0, 1)

/** One source in one cluster, to reconcile by hand. */
export interface ReconcileFixture {
  repository: ModelRepository
  kube: ConfigMapWriter
  ports: ReconcilePorts
  /** Writes that the API server took. */
  writes: string[]
  run(mode?: "incremental" | "full"): ReturnType<typeof reconcile>
  commit(files: { [path: string]: string | undefined }): string
  record(): Promise<SourceRecord>
  data(name: string): Promise<{ [key: string]: string }>
}

/** What a fixture is made of, where it is not the usual. */
export interface ReconcileFixtureOptions {
  rules?: string
  settings?: Partial<ReconcileSettings>
  /** Comes between reconcile and the API server. */
  changeKube?(kube: ConfigMapWriter): ConfigMapWriter
}

export function reconcileFixture(
  files: { [path: string]: string },
  options: ReconcileFixtureOptions = {},
): ReconcileFixture {
  const { rules = RULES, settings = {}, changeKube = (kube) => kube } = options
  const repository = modelRepository(new Map(Object.entries({ "rules.yaml": rules, ...files })))
  const writes: string[] = []
  const clock = { now: () => FIXTURE_START, sleep: async () => {} }
  // Its own clock: a test moves that of the writer.
  const store = new ObjectStore({ createNamespaces: true, now: clock.now })
  const kube = changeKube(counting(inProcessClient(store), writes))
  const ports = reconcilePorts({ kube, repository, clock, settings })
  return {
    repository,
    kube,
    ports,
    writes,
    async record() {
      const configMap = await kube.get("headrace", "release")
      if (configMap === undefined) throw new Error("no record")
      return readRecord(configMap)
    },
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

/** Notes each write that was taken: what was done, and to what, without the digest of store objects. */
function counting(kube: ConfigMapWriter, writes: string[]): ConfigMapWriter {
  async function counted<Result>(verb: string, configMap: ConfigMap, call: () => Promise<Result>) {
    const result = await call()
    writes.push(`${verb} ${configMap.metadata.name.replace(/-[0-9a-f]{40}$/, "")}`)
    return result
  }
  return {
    ...kube,
    create: (configMap) => counted("create", configMap, () => kube.create(configMap)),
    replace: (configMap) => counted("replace", configMap, () => kube.replace(configMap)),
    remove: (configMap) => counted("remove", configMap, () => kube.remove(configMap)),
  }
}
