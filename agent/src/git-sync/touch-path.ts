import { open } from "node:fs/promises"
import { dirname } from "node:path"
import { makeFolder } from "@headrace/shared/foundation/make-folder"

/** Makes a file that is missing, with its folders, and sets its times to now; its content stays. */
export async function touchPath(file: string): Promise<void> {
  await makeFolder(dirname(file))
  const handle = await open(file, "a", 0o644)
  try {
    const now = new Date()
    await handle.utimes(now, now)
  } finally {
    await handle.close()
  }
}
