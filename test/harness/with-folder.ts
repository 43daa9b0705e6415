import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const MEMORY = "/dev/shm"

/** Runs `action` with an empty folder of its own and removes it. `HEADRACE_TEST_DIR` chooses the file system. */
export async function withFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  return await withFolderIn(process.env.HEADRACE_TEST_DIR ?? tmpdir(), action)
}

/** The same in memory where there is a tmpfs: for what makes many folders and loses nothing by a quick fsync. */
export async function withMemoryFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  if (process.env.HEADRACE_TEST_DIR || !existsSync(MEMORY)) return await withFolder(action)
  return await withFolderIn(MEMORY, action)
}

async function withFolderIn<T>(parent: string, action: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(parent, "headrace-")))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
