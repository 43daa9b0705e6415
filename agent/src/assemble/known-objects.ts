import { constants } from "node:fs"
import { lstat, open, readdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { StoreIndex } from "@headrace/shared/record/store-index"
import { z } from "zod"

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

/** Consumers that walk all that they see have to get through; nothing here is a secret. */
const FOLDER_MODE = 0o755

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
  await makeFolder(folder, FOLDER_MODE)
  if (!(await lstat(folder)).isDirectory()) {
    throw new HeadraceError("projection/known", `${folder} is not a folder`, { hint: "Remove it." })
  }
  // Made by an earlier version, for its owner alone: consumers that walk what they see would fail at it.
  await openToAll(folder)
  const present = new Set((await namesIn(folder)).filter((name) => NAME.test(name.replace(/^\./, ""))))
  for (const [name, object] of objects) {
    if (!present.has(name)) await writeKnownObject(folder, name, object)
  }
  for (const name of present) {
    if (!objects.has(name)) await rm(join(folder, name), { force: true })
  }
}

async function readKnownObject(folder: string, name: string): Promise<KnownObject | undefined> {
  if (!NAME.test(name)) return undefined
  const text = await readRegularFile(join(folder, name)).catch(() => "")
  const line = text.indexOf("\n")
  const body = text.slice(line + 1)
  if (line !== 64 || text.slice(0, line) !== sha256(body)) return undefined
  const parsed = (name.startsWith("index-") ? StoreIndex : Listing).safeParse(JSON.parse(body))
  return parsed.success ? parsed.data : undefined
}

/** Follows no link, and waits for no pipe that somebody put in the file's place. */
async function readRegularFile(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return (await handle.stat()).isFile() ? await handle.readFile("utf8") : ""
  } finally {
    await handle.close()
  }
}

async function writeKnownObject(folder: string, name: string, object: KnownObject): Promise<void> {
  const body = canonicalJson(object)
  const temporary = join(folder, `.${name}`)
  // Exclusive: consumers may write here, and what they put in its place is not followed.
  await rm(temporary, { force: true })
  await writeFile(temporary, `${sha256(body)}\n${body}`, { mode: 0o644, flag: "wx" })
  await rename(temporary, join(folder, name))
}

async function openToAll(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await handle.chmod(FOLDER_MODE)
  } finally {
    await handle.close()
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
