import { randomUUID } from "node:crypto"
import { chmod, rename, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { errorText } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import type { Log } from "@headrace/shared/observe/log"

/**
 * Keeps git-sync's --error-file: the last error as JSON (`Msg`, `Err`, `Args`), gone after a success. That it cannot be
 * written is logged, and keeps nothing from being synced.
 */
export function createErrorFile(file: string | undefined, log: Log) {
  async function write(message: string, error: unknown, args: Record<string, unknown>): Promise<void> {
    if (file === undefined) return
    const temporary = `${file}.${randomUUID()}`
    try {
      await makeFolder(dirname(file))
      await writeFile(temporary, JSON.stringify({ Msg: message, Err: errorText(error), Args: args }), {
        flag: "wx",
      })
      await chmod(temporary, 0o644)
      await rename(temporary, file)
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined)
      log.error({ file, err: errorText(cause) }, "the error file cannot be written")
    }
  }

  async function remove(): Promise<void> {
    if (file === undefined) return
    await rm(file, { force: true }).catch((cause: unknown) => {
      log.error({ file, err: errorText(cause) }, "the error file cannot be removed")
    })
  }

  return { write, remove }
}
