import { readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { StoreIndex } from "@headrace/shared/record/store-index"
import { z } from "zod"
import { openKnownFolder, readKnownFile, writeKnownFile } from "./known-file.ts"

/** A file as its shard lists it, without its content. */
export const FileEntry = z.strictObject({
  /** In the ConfigMap. */
  key: z.string(),
  /** In the repository. */
  path: z.string(),
  executable: z.boolean(),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type FileEntry = z.infer<typeof FileEntry>

/** What a store object says, by `index-DIGEST` or `shard-DIGEST`. */
export type KnownObject = StoreIndex | readonly FileEntry[]

const NAME = /^(index|shard)-[0-9a-f]{64}$/
const Listing = z.array(FileEntry)

/**
 * Reads what an earlier run wrote down of store objects, so that a restart fetches only what is new.
 *
 * A cache and no more: a file whose first line is not the SHA-256 of the rest (torn by a power cut, since it
 * is never fsynced) or that this version cannot read is ignored, and its object fetched again.
 */
export async function readKnownObjects(folder: string): Promise<Map<string, KnownObject>> {
  const known = new Map<string, KnownObject>()
  for (const name of await namesIn(folder)) {
    const object = await readKnownObject(folder, name)
    if (object) known.set(name, object)
  }
  return known
}

/**
 * Makes the folder hold `objects` and no others: writes those that are new, removes those no longer used. What is not
 * an object of ours stays, and a link in the folder's place is not followed, for consumers may be able to write beside
 * it. Throws `projection/known` for such a link.
 */
export async function writeKnownObjects(
  folder: string,
  objects: ReadonlyMap<string, KnownObject>,
): Promise<void> {
  await openKnownFolder(folder)
  const present = new Set((await namesIn(folder)).filter((name) => NAME.test(name.replace(/^\./, ""))))
  for (const [name, object] of objects) {
    if (!present.has(name)) await writeKnownFile(folder, name, canonicalJson(object))
  }
  for (const name of present) {
    if (!objects.has(name)) await rm(join(folder, name), { force: true })
  }
}

async function readKnownObject(folder: string, name: string): Promise<KnownObject | undefined> {
  if (!NAME.test(name)) return undefined
  const schema = name.startsWith("index-") ? StoreIndex : Listing
  const parsed = schema.safeParse(await readKnownFile(folder, name))
  return parsed.success ? parsed.data : undefined
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
