import { compareText } from "@headrace/shared/foundation/canonical-json"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { noteBreach } from "@headrace/shared/observe/bound-breaches"
import type { ShardEntry } from "@headrace/shared/record/build-index"
import type { NewObjects } from "@headrace/shared/record/new-objects"
import type { SourceRecord } from "@headrace/shared/record/record"
import { findTarget, listFailures, listShards } from "@headrace/shared/record/walk-index"
import { chooseItems, type NamedItem } from "./choose-items.ts"
import type { Inputs } from "./inputs.ts"
import { type ProjectedFile, pathUnder } from "./projected-files.ts"
import { notReadYet, type ProjectionSource, RECORD_HISTORY, type SourceFiles, waitsFor } from "./source.ts"
import type { StoredFile, StoreReader } from "./store-reader.ts"
import { watchUse } from "./used-objects.ts"

/** A target of the record and how its files are shown. */
export interface TargetSourceOptions {
  /** `namespace/name`. */
  target: string
  under?: string | undefined
  names: "keys" | "paths"
  /** When the record has no such target: say so and wait, or show nothing of it. */
  whenAbsent: "wait" | "empty"
  items?: readonly NamedItem[] | undefined
  /** Permission bits of all files; otherwise by the executable bit. */
  mode?: number | undefined
}

/** A source that gives the files of one target of the record, fetching only what is new of the store. */
export function createTargetSource(options: TargetSourceOptions, store: StoreReader): ProjectionSource {
  const name = `ConfigMap ${options.target}`
  let last: { index: string | undefined; given: Omit<SourceFiles, "commit" | "origin"> } | undefined

  return {
    name,
    history: RECORD_HISTORY,
    isGuarded: false,
    async assemble(inputs) {
      const { commit, record } = reconciled(inputs, name)
      if (inputs.recordAdded?.root === record.root) readAhead(store, inputs.recordAdded, options.target)
      const watched = watchUse(store)
      const index = await findIndex(store, record, commit.id, options)
      if (last === undefined || last.index !== index) {
        const stored = index === undefined ? [] : await readTargetFiles(watched.store, index, options.target)
        last = {
          index,
          given: { key: index ?? "", files: filesOf(stored, options, store), used: watched.used },
        }
      }
      const origin = inputs.recordOrigin ?? { source: `record ${record.source}`, instance: null }
      return { ...last.given, origin, commit }
    },
  }
}

/**
 * Begins to read what a revision has added to a target, all at once: each index names the next object, and those who follow
 * them find it there or under way. What they need of it and fails here fails for them as well, who say so.
 */
function readAhead(
  store: Pick<StoreReader, "index" | "listing">,
  { indexes, targets }: NewObjects,
  target: string,
): void {
  const own = targets[target]
  if (own === undefined) return
  const reads = [
    ...[...indexes, ...own.indexes].map((digest) => store.index(digest)),
    ...own.shards.map((digest) => store.listing(digest)),
  ]
  for (const read of reads) read.catch(() => undefined)
}

interface ReconciledRecord extends SourceRecord {
  root: string
}

function reconciled({ record, recordCommittedAt }: Inputs, name: string) {
  if (record === undefined) throw notReadYet(name, "the record was not read yet")
  const { commit, root, source } = record
  if (commit === null) {
    const hint = "Wait for the first reconcile, or run headrace-bootstrapper apply."
    throw waitsFor(name, `record ${source} has no revision yet`, hint)
  }
  if (root === null) {
    const hint = "Set store: true for this cluster in the operator's settings."
    throw waitsFor(name, `record ${source} names no store`, hint)
  }
  const { token } = record
  return { commit: { id: commit, token, committedAt: recordCommittedAt }, record: { ...record, root } }
}

async function findIndex(
  store: Pick<StoreReader, "index">,
  record: ReconciledRecord,
  commit: string,
  options: TargetSourceOptions,
): Promise<string | undefined> {
  const [namespace = "", name = ""] = options.target.split("/")
  const entry = await findTarget(record.root, { namespace, name }, store.index)
  if (entry) return entry.index
  const reason = await failureOf(store, record, options.target)
  if (options.whenAbsent === "empty" && reason === undefined) return undefined
  throw waitsFor(
    `ConfigMap ${options.target}`,
    reason ?? `${record.source} has no such target at ${commit.slice(0, 12)}`,
    "Check the rules and the projection's `from`; what is published stays.",
  )
}

/**
 * Why a target failed, or may have; undefined: it did not. Where the record has more failed targets than it names, and
 * nothing lists them all, each may be one of them.
 */
async function failureOf(
  store: Pick<StoreReader, "index">,
  record: SourceRecord,
  target: string,
): Promise<string | undefined> {
  const named = record.failed.find((failure) => failure.target === target)
  if (named) return named.reason
  if (record.failures !== null) {
    const listed = await listFailures(record.failures, store.index)
    return listed.find((failure) => failure.target === target)?.reason
  }
  if (record.failedMore === 0) return undefined
  return `${record.source} has ${record.failedMore} more failed targets than it names, and this may be one`
}

function filesOf(
  stored: readonly StoredFile[],
  options: TargetSourceOptions,
  store: StoreReader,
): ProjectedFile[] {
  const { target, under, names, items, mode } = options
  const named = names === "keys" ? stored : onePerPath(stored)
  const chosen = chooseItems(named, items, {
    nameOf: (file) => (names === "keys" ? file.key : file.path),
    owner: `ConfigMap ${target}`,
    optional: options.whenAbsent === "empty",
  })
  return chosen.map(({ file, path, mode: itemMode }) => ({
    path: pathUnder(under, path),
    mode: itemMode ?? mode ?? (file.executable ? 0o555 : 0o444),
    size: file.size,
    sha256: file.sha256,
    origin: `ConfigMap ${target}, key ${file.key} (${file.path})`,
    read: () => store.content(file),
  }))
}

/** Two keys may come from one file of the repository, which by its own path is shown once. */
function onePerPath(files: readonly StoredFile[]): StoredFile[] {
  const byPath = new Map<string, StoredFile>()
  for (const file of files) {
    const other = byPath.get(file.path)
    if (!other || compareText(file.key, other.key) < 0) byPath.set(file.path, file)
  }
  return [...byPath.values()]
}

/**
 * All files of a target, shard by shard, from the digest of its index. Errors as StoreReader's, and `store/too-many-files`,
 * `store/file-too-large` and `store/corrupt`, before anything of their contents is read.
 */
async function readTargetFiles(
  store: Pick<StoreReader, "index" | "listing" | "bounds">,
  index: string,
  target: string,
): Promise<StoredFile[]> {
  const shards = await listShards(index, store.index)
  const promised = shards.reduce((sum, { files }) => sum + Math.max(1, files), 0)
  if (promised > store.bounds.files) {
    noteBreach("files", `origin ${target}`)
    const message = `ConfigMap ${target} has ${promised} files, and bounds.files is ${store.bounds.files}`
    throw new HeadraceError("store/too-many-files", message, { hint: RAISE })
  }
  const files = (await Promise.all(shards.map((entry) => shardFiles(store, entry)))).flat()
  const large = files.find(({ size }) => size > store.bounds.file)
  if (large === undefined) return files
  noteBreach("file", `origin ${target}`)
  const message = `${large.path} of ConfigMap ${target} has ${large.size} bytes, and bounds.file is ${store.bounds.file}`
  throw new HeadraceError("store/file-too-large", message, { hint: RAISE })
}

const RAISE =
  "Make it smaller, or raise the bound in the agent's settings, and its memory; what is published stays."

async function shardFiles(store: Pick<StoreReader, "listing">, entry: ShardEntry): Promise<StoredFile[]> {
  const listing = await store.listing(entry.shard)
  if (listing.length === entry.files) return listing.map((file) => ({ ...file, shard: entry.shard }))
  throw new HeadraceError(
    "store/corrupt",
    `shard ${entry.shard} lists ${listing.length} files, and its index promises ${entry.files}`,
  )
}
