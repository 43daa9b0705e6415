import { realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { diskFolder, scratchFolder } from "./scratch-folder.ts"

/** Runs `action` with an empty folder of its own and removes it; vitest.config.ts sets TMPDIR to memory, where there is room. */
export async function withFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  return await withFolderIn(tmpdir(), action)
}

/** The same in memory, where there is room, whatever TMPDIR is: for long forms and benches, which vitest does not run. */
export async function withMemoryFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  return await withFolderIn(scratchFolder(), action)
}

/** The same on a disk: for what differs there. */
export async function withDiskFolder<T>(action: (folder: string) => Promise<T> | T): Promise<T> {
  return await withFolderIn(diskFolder(), action)
}

async function withFolderIn<T>(parent: string, action: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = temporaryFolder("headrace-", realpathSync(parent))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
