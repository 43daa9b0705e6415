import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Runs `action` with an empty folder of its own and removes it. `HEADRACE_TEST_DIR` chooses the file system. */
export async function withFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(process.env.HEADRACE_TEST_DIR ?? tmpdir(), "headrace-")))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
