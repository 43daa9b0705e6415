import { openStoreConfigMap, storeObjectName } from "@headrace/shared/bundle/store-config-map"
import { joinParts, unpackShard } from "@headrace/shared/bundle/unpack-shard"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { listShards, listTargets, parseIndex } from "@headrace/shared/record/walk-index"

/** Target (`namespace/name`) to key to content. */
export type Assembled = Map<string, Map<string, string>>

/** Assembles a revision as an agent does, from its root alone. Throws when anything of it is missing. */
export async function assemble(kube: ConfigMapReader, namespace: string, root: string): Promise<Assembled> {
  async function read(kind: "index" | "shard", digest: string): Promise<Buffer> {
    const object = await kube.get(namespace, storeObjectName(kind, digest))
    if (object === undefined) throw new Error(`${kind} ${digest.slice(0, 12)} is missing`)
    return openStoreConfigMap(object, digest)
  }
  async function fetch(digest: string) {
    return parseIndex(await read("index", digest), digest)
  }
  const assembled: Assembled = new Map()
  for (const target of await listTargets(root, fetch)) {
    const keys = new Map<string, string>()
    for (const entry of await listShards(target.index, fetch)) {
      for (const file of unpackShard(await read("shard", entry.shard))) {
        const parts = file.parts && (await Promise.all(file.parts.map((part) => read("shard", part))))
        const content = parts ? joinParts(file, parts) : file.content
        keys.set(file.key, content?.toString() ?? "")
      }
    }
    assembled.set(`${target.namespace}/${target.name}`, keys)
  }
  return assembled
}

export function sameKeys(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, content]) => b.get(key) === content)
}
