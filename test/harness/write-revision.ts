import { packShard } from "@headrace/shared/bundle/pack-shard"
import { splitIntoShards } from "@headrace/shared/bundle/shard-trie"
import { storeConfigMap } from "@headrace/shared/bundle/store-config-map"
import type { StoreObject } from "@headrace/shared/bundle/store-file"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import {
  buildFilesIndex,
  buildTargetsIndex,
  type IndexObject,
  type ShardEntry,
  type TargetEntry,
} from "@headrace/shared/record/build-index"
import { newRecord, type SourceRecord } from "@headrace/shared/record/record"
import { recordConfigMap } from "@headrace/shared/record/record-config-map"

/** Files of a target: content by repository path, `*` at the end for an executable one. Its base name is the key. */
export type TargetFiles = Record<string, string | Buffer>

export interface TestRevision {
  seq: number
  epoch?: number
  /** By `namespace/name`. */
  targets: Record<string, TargetFiles>
  /** When its commit was made, in milliseconds since the epoch; absent: its record does not say. */
  committedAt?: number
  /** Members of the record to set otherwise. */
  record?: Partial<SourceRecord>
}

export const NAMESPACE = "headrace"
export const SOURCE = "release"

/** The commit id that a test revision goes by. */
export function commitOf(seq: number, epoch = 0): string {
  return sha256(`commit ${epoch}.${seq}`).slice(0, 40)
}

/** The objects of a revision's store and its record, as reconcile leaves them. */
export function revisionObjects(revision: TestRevision): { store: ConfigMap[]; record: ConfigMap } {
  const { seq, epoch = 0 } = revision
  const built = Object.entries(revision.targets).map(([target, files]) => buildTarget(target, files))
  const root = buildTargetsIndex(built.map(({ entry }) => entry))
  const objects: (StoreObject | IndexObject)[] = [
    ...built.flatMap((target) => target.objects),
    ...root.objects,
  ]
  const record = {
    ...newRecord(SOURCE, { epoch, seq }),
    commit: commitOf(seq, epoch),
    rules: sha256("rules"),
    root: root.root,
    ...revision.record,
  }
  return {
    store: objects.map((object) => storeConfigMap(NAMESPACE, object)),
    record: recordConfigMap(NAMESPACE, record, { committedAt: revision.committedAt }),
  }
}

/** Writes a revision: what is missing of the store, then the record. Gives its commit. */
export async function writeRevision(kube: ConfigMapWriter, revision: TestRevision): Promise<string> {
  const { store, record } = revisionObjects(revision)
  await Promise.all(store.map((object) => createOnce(kube, object)))
  await writeConfigMap(kube, record)
  return commitOf(revision.seq, revision.epoch)
}

/** Creates or replaces, whatever is there. */
export async function writeConfigMap(kube: ConfigMapWriter, configMap: ConfigMap): Promise<void> {
  const { namespace, name } = configMap.metadata
  const there = await kube.get(namespace, name)
  if (there === undefined) {
    await kube.create(configMap)
    return
  }
  const { resourceVersion } = there.metadata
  const metadata =
    resourceVersion === undefined ? configMap.metadata : { ...configMap.metadata, resourceVersion }
  await kube.replace({ ...configMap, metadata })
}

async function createOnce(kube: ConfigMapWriter, configMap: ConfigMap): Promise<void> {
  try {
    await kube.create(configMap)
  } catch (error) {
    if (!(error instanceof KubeError && error.code === "kube/already-exists")) throw error
  }
}

function buildTarget(
  target: string,
  files: TargetFiles,
): { entry: TargetEntry; objects: (StoreObject | IndexObject)[] } {
  const [namespace = "", name = ""] = target.split("/")
  const contents = new Map<string, Buffer>()
  const stored = Object.entries(files).map(([path, text]) => {
    const content = Buffer.from(text)
    const plain = path.replace(/\*$/, "")
    contents.set(plain, content)
    const key = plain.slice(plain.lastIndexOf("/") + 1)
    const executable = path.endsWith("*")
    return { key, path: plain, oid: sha256(content), size: content.length, executable, gzip: false }
  })
  const objects: StoreObject[] = []
  const shards: ShardEntry[] = splitIntoShards(stored).map((layout) => {
    const packed = packShard(
      layout,
      layout.files.map((file) => contents.get(file.path) ?? Buffer.alloc(0)),
    )
    objects.push(packed.shard, ...packed.parts)
    const bytes = layout.files.reduce((sum, file) => sum + file.size, 0)
    const parts = packed.parts.map((part) => part.digest)
    return { prefix: layout.prefix, shard: packed.shard.digest, files: layout.files.length, bytes, parts }
  })
  const index = buildFilesIndex(shards)
  const bytes = stored.reduce((sum, file) => sum + file.size, 0)
  return {
    entry: { namespace, name, index: index.root, files: stored.length, bytes },
    objects: [...objects, ...index.objects],
  }
}
