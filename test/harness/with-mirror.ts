import { join } from "node:path"
import { type Mirror, type MirrorOptions, openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { type TestRepo, withRepo } from "./with-repo.ts"

const log = createLog("test", { level: "silent" })

/** Runs `fn` with an open mirror of a new repository, and the folder that holds the mirror; closes and removes them. */
export async function withMirror<T>(
  fn: (mirror: Mirror, repo: TestRepo, folder: string) => Promise<T>,
  options: Partial<MirrorOptions> = {},
): Promise<T> {
  return withRepo(async (repo) => {
    const folder = join(repo.scratch, "mirrors")
    const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, ...options })
    try {
      return await fn(mirror, repo, folder)
    } finally {
      await mirror.close()
    }
  })
}

/** Every path and its content, as the mirror has them. */
export async function mirrorContents(mirror: Mirror, commit: string): Promise<Record<string, string>> {
  const { files } = await mirror.tree(commit)
  const blobs = await mirror.blobs(files.map((file) => file.oid))
  return Object.fromEntries(files.map((file, index) => [file.path, String(blobs[index])]))
}
