import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { endWithProcess } from "./end-with-process.ts"

/**
 * Makes an empty folder, and gives its path: `prefix` and some characters, in `parent`. The caller removes it; when
 * this process ends before that, the folder goes with it.
 */
export function temporaryFolder(prefix: string, parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, prefix))
  endWithProcess("folder", folder)
  return folder
}
