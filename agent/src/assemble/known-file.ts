import { constants } from "node:fs"
import { lstat, open, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { parseJson } from "@headrace/shared/foundation/parse-json"

/** Consumers that walk all that they see have to get through; nothing here is a secret. */
const FOLDER_MODE = 0o755

/**
 * Makes the folder of what an agent knows, which any later run may lose. Throws `projection/known` when something else
 * is in its place: a link there is not followed, for consumers may be able to write beside it.
 */
export async function openKnownFolder(folder: string): Promise<void> {
  await makeFolder(folder, FOLDER_MODE)
  if (!(await lstat(folder)).isDirectory()) {
    throw new HeadraceError("projection/known", `${folder} is not a folder`, { hint: "Remove it." })
  }
  // Made by an earlier version, for its owner alone: consumers that walk what they see would fail at it.
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await handle.chmod(FOLDER_MODE)
  } finally {
    await handle.close()
  }
}

/**
 * The JSON that was written by {@link writeKnownFile}. Undefined when it is not there, or when its first line is not the
 * SHA-256 of the rest: it is never fsynced, so that a power cut can tear it. The same where the rest is no JSON: consumers
 * may be able to write here, and must not keep a projection from being shown.
 */
export async function readKnownFile(folder: string, name: string): Promise<unknown> {
  const text = await readRegularFile(join(folder, name)).catch(() => "")
  const line = text.indexOf("\n")
  const body = text.slice(line + 1)
  return line === 64 && text.slice(0, line) === sha256(body) ? parseJson(body) : undefined
}

/** Replaces a file of the folder; `body` is JSON. */
export async function writeKnownFile(folder: string, name: string, body: string): Promise<void> {
  const temporary = join(folder, `.${name}`)
  // Exclusive: consumers may write here, and what they put in its place is not followed.
  await rm(temporary, { force: true })
  await writeFile(temporary, `${sha256(body)}\n${body}`, { mode: 0o644, flag: "wx" })
  await rename(temporary, join(folder, name))
}

/** Follows no link, and waits for no pipe that another program put in the file's place. */
async function readRegularFile(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return (await handle.stat()).isFile() ? await handle.readFile("utf8") : ""
  } finally {
    await handle.close()
  }
}
