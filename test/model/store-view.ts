import { openStoreConfigMap, storeObjectName } from "@headrace/shared/bundle/store-config-map"
import { joinParts, unpackShard } from "@headrace/shared/bundle/unpack-shard"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { StoreIndex } from "@headrace/shared/record/store-index"
import { listShards, listTargets, parseIndex } from "@headrace/shared/record/walk-index"

/** Target (`namespace/name`) to key to content. */
export type Assembled = Map<string, Map<string, string>>

/** What was read out of an object: the embedded API server gives the same one until it is written. */
interface Opened {
  payload: Buffer
  index?: StoreIndex
  files?: ReturnType<typeof unpackShard>
}

const OPENED = new WeakMap<ConfigMap, Opened>()

/** Assembles a revision as an agent does, from its root alone. Throws when anything of it is missing. */
export async function assemble(kube: ConfigMapReader, namespace: string, root: string): Promise<Assembled> {
  async function open(kind: "index" | "shard", digest: string): Promise<Opened> {
    const object = await kube.get(namespace, storeObjectName(kind, digest))
    if (object === undefined) throw new Error(`${kind} ${digest.slice(0, 12)} is missing`)
    const opened = OPENED.get(object) ?? { payload: openStoreConfigMap(object, digest) }
    OPENED.set(object, opened)
    return opened
  }
  async function fetch(digest: string): Promise<StoreIndex> {
    const opened = await open("index", digest)
    opened.index ??= parseIndex(opened.payload, digest)
    return opened.index
  }
  async function filesOf(digest: string): Promise<ReturnType<typeof unpackShard>> {
    const opened = await open("shard", digest)
    opened.files ??= unpackShard(opened.payload)
    return opened.files
  }
  async function part(digest: string): Promise<Buffer> {
    return (await open("shard", digest)).payload
  }
  const assembled: Assembled = new Map()
  for (const target of await listTargets(root, fetch)) {
    const keys = new Map<string, string>()
    for (const entry of await listShards(target.index, fetch)) {
      for (const file of await filesOf(entry.shard)) {
        const content = file.content ?? (await joinParts(file, part))
        keys.set(file.key, content.toString())
      }
    }
    assembled.set(`${target.namespace}/${target.name}`, keys)
  }
  return assembled
}

export function sameKeys(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, content]) => b.get(key) === content)
}
