import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { HeadraceError } from "../../foundation/errors.ts"
import type { TreeFile } from "../../foundation/tree.ts"
import type { ReadFiles } from "../judge-files.ts"

/** Files of one gate at one commit, on disk for a program. */
export interface GateFolder {
  /** Holds the files by their paths; nothing in it can be written. */
  files: string
  /** Empty, for what the program writes. */
  scratch: string
  remove(): Promise<void>
}

const BATCH = 64

/** Writes the files of a gate into a new folder, read-only. Throws `gate/unjudged`, and what reading throws. */
export async function writeGateFolder(files: readonly TreeFile[], read: ReadFiles): Promise<GateFolder> {
  const top = await mkdtemp(join(tmpdir(), "headrace-gate-"))
  const folder: GateFolder = {
    files: join(top, "files"),
    scratch: join(top, "scratch"),
    async remove() {
      await unlock(folder.files, folders)
      await rm(top, { recursive: true, force: true })
    },
  }
  const folders = new Set<string>()
  try {
    await mkdir(folder.files)
    await mkdir(folder.scratch)
    for (let at = 0; at < files.length; at += BATCH) {
      const batch = files.slice(at, at + BATCH)
      const contents = await read(batch)
      for (const [index, file] of batch.entries()) {
        await writeOne(folder.files, file, contents[index] ?? Buffer.alloc(0), folders)
      }
    }
    for (const path of deepestFirst(folders)) await chmod(join(folder.files, path), 0o555)
    await chmod(folder.files, 0o555)
    return folder
  } catch (error) {
    await folder.remove()
    throw error
  }
}

async function writeOne(
  folder: string,
  { path, executable }: TreeFile,
  content: Buffer,
  folders: Set<string>,
): Promise<void> {
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new HeadraceError("gate/unjudged", `a file cannot be given to a program: ${JSON.stringify(path)}`)
  }
  for (let above = dirname(path); above !== "."; above = dirname(above)) folders.add(above)
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content, { flag: "wx", mode: executable ? 0o555 : 0o444 })
}

function deepestFirst(folders: ReadonlySet<string>): string[] {
  return [...folders].sort((a, b) => b.length - a.length)
}

/** What is read-only cannot be removed, but by root. */
async function unlock(folder: string, folders: ReadonlySet<string>): Promise<void> {
  const shallowFirst = ["", ...deepestFirst(folders).reverse()]
  for (const path of shallowFirst) await chmod(join(folder, path), 0o755).catch(() => undefined)
}
