import { constants, type Stats } from "node:fs"
import { readlink } from "node:fs/promises"
import { sep } from "node:path"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { withOpenFile } from "@headrace/shared/foundation/with-open-file"
import { type ListedFile, publishedMode } from "../publish/read-folder-files.ts"
import type { ProjectedFile } from "./projected-files.ts"

/** SHA-256 of a file by what stat(2) reports of it, of the last time that the folder was read. */
export type KnownDigests = Map<string, string>

/** How the files of a folder are read. */
export interface FolderReading {
  /** Becomes what is known of these files. */
  known: KnownDigests
  /** Called with the bytes of contents that are read next, and dropped at once. */
  onRead?: ((bytes: number) => void) | undefined
}

/**
 * The listed files of a folder with their digests, contents to be read later. Only files that changed are read. Throws
 * `projection/folder` for a file that is not what was listed any more.
 */
export async function folderFiles(
  root: string,
  listed: readonly ListedFile[],
  { known, onRead }: FolderReading,
  signal: AbortSignal,
): Promise<ProjectedFile[]> {
  async function read(
    place: string,
    { identity, size }: { identity: string; size: number },
  ): Promise<Buffer> {
    // Before, while the one read last is garbage: a large file would else be there twice.
    onRead?.(size)
    return await readListed(root, place, identity)
  }

  const files: ProjectedFile[] = []
  const seen: KnownDigests = new Map()
  for (const { path, place, status } of listed) {
    signal.throwIfAborted()
    const identity = fileIdentity(status)
    const { size } = status
    const digest = known.get(identity) ?? sha256(await read(place, { identity, size }))
    seen.set(identity, digest)
    files.push({
      path,
      mode: publishedMode(status.mode),
      size,
      sha256: digest,
      origin: `folder ${root}, ${path}`,
      read: () => read(place, { identity, size }),
    })
  }
  known.clear()
  for (const [identity, digest] of seen) known.set(identity, digest)
  return files
}

/** Equal for a file that nobody has written: a write changes ctime. */
export function fileIdentity({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ")
}

/**
 * Reads a file that was listed. The agent may be root and the publisher not: a link that took the place of a folder on
 * the way must not lead out, nor a pipe stop us.
 */
async function readListed(root: string, place: string, identity: string): Promise<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  return await withOpenFile(place, flags, async (file) => {
    if (fileIdentity(await file.stat()) !== identity || !(await isWithin(root, file.fd))) throw changed(place)
    const content = await file.readFile()
    if (fileIdentity(await file.stat()) !== identity) throw changed(place)
    return content
  })
}

/** Where an open file is, as the kernel knows it (proc_pid_fd(5)). Without /proc its identity has to do. */
async function isWithin(root: string, fd: number): Promise<boolean> {
  const real = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined)
  return real === undefined || real.startsWith(root + sep)
}

function changed(place: string): HeadraceError {
  return new HeadraceError("projection/folder", `${place} changed while its folder was read`, {
    hint: "Wait: the folder is read again. Publish it by one rename of a link, so that it never changes.",
  })
}
