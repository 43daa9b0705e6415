import { z } from "zod"

const digest = z.string().regex(/^[0-9a-f]{64}$/)

/** A part of the path-hash trie: all items whose sha256 in hex starts with `prefix`. */
const child = z.strictObject({ prefix: z.string().regex(/^[0-9a-f]*$/), index: digest })

/** An index too large for one object: it names smaller ones, in prefix order. */
export const BranchIndex = z.strictObject({
  format: z.literal(1),
  kind: z.literal("branch"),
  children: z.array(child),
})

/** The root of a revision: target to the index of its files. It names no commit, so equal content is equal. */
export const TargetsIndex = z.strictObject({
  format: z.literal(1),
  kind: z.literal("targets"),
  targets: z.array(
    z.strictObject({
      namespace: z.string(),
      name: z.string(),
      index: digest,
      files: z.int().min(0),
      bytes: z.int().min(0),
    }),
  ),
})

/** One target's files, as the leaves of a trie over sha256(path). */
export const FilesIndex = z.strictObject({
  format: z.literal(1),
  kind: z.literal("files"),
  shards: z.array(
    z.strictObject({
      prefix: z.string().regex(/^[0-9a-f]*$/),
      /** Digest of the uncompressed tar. */
      shard: digest,
      files: z.int().min(0),
      bytes: z.int().min(0),
      /** Shards that hold the numbered parts of files too large for one, in order of first use. */
      parts: z.array(digest),
    }),
  ),
})

/** Every target that failed at a swap, and what it holds in the store since before it failed. Named by the record. */
export const FailuresIndex = z.strictObject({
  format: z.literal(1),
  kind: z.literal("failures"),
  failed: z.array(
    z.strictObject({
      /** `namespace/name`. */
      target: z.string(),
      reason: z.string(),
      /** ISO time of the first failure. */
      since: z.string(),
      /** Its entry of the root index; null: it never had one, or the plan gives it a new one. */
      held: z.strictObject({ index: digest, files: z.int().min(0), bytes: z.int().min(0) }).nullable(),
    }),
  ),
})
export type FailuresIndex = z.infer<typeof FailuresIndex>

/** The nodes that a stage of a rollout rests on. Named by the record's candidate. */
export const NodesIndex = z.strictObject({
  format: z.literal(1),
  kind: z.literal("nodes"),
  /** Names of the nodes that must show the candidate, in order. */
  expected: z.array(z.string()),
  /** Nodes that take it and do not count, since they failed before it, with the reason. */
  excluded: z.array(z.strictObject({ node: z.string(), reason: z.string() })),
})
export type NodesIndex = z.infer<typeof NodesIndex>

export const StoreIndex = z.discriminatedUnion("kind", [
  BranchIndex,
  TargetsIndex,
  FilesIndex,
  FailuresIndex,
  NodesIndex,
])
export type StoreIndex = z.infer<typeof StoreIndex>
export type BranchIndex = z.infer<typeof BranchIndex>
export type TargetsIndex = z.infer<typeof TargetsIndex>
export type FilesIndex = z.infer<typeof FilesIndex>
