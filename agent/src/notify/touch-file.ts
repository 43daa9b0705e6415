import { randomUUID } from "node:crypto"
import { rename, rm, writeFile } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { tokenText } from "@headrace/shared/record/token"
import type { Notice } from "./notice.ts"

/**
 * Replaces a file by one that holds the revision and the token, a line each, in one rename, so that a reader
 * never sees half of it and a watch on its folder sees it arrive. Throws `notify/touch-failed`.
 */
export async function touchFile(file: string, notice: Notice): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    await writeFile(temporary, `${notice.revision}\n${tokenText(notice.token)}\n`, {
      mode: 0o644,
      flag: "wx",
    })
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new HeadraceError("notify/touch-failed", `cannot replace ${file}`, {
      hint: "Make its folder, and give the user that this program runs as write access to it.",
      cause,
    })
  }
}
