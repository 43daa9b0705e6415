import { readFileSync, readlinkSync } from "node:fs"
import { basename, join } from "node:path"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"

/** A repository and a root to sync it to. */
export interface GitSyncSite {
  repo: TestRepo
  root: string
  /** Flags that sync it every 50 ms to `link`. */
  flags: string[]
  /** What `file` holds now, and the commit that is shown. */
  file(): string
  hash(): string
}

/** Runs `fn` with a repository whose `file` holds `1`. */
export async function withGitSyncSite(fn: (site: GitSyncSite) => Promise<void>): Promise<void> {
  await withRepo(async (repo) => {
    await repo.commit({ file: "1" })
    const root = join(repo.scratch, "root")
    const link = join(root, "link")
    await fn({
      repo,
      root,
      flags: [
        `--repo=file://${repo.folder}`,
        `--root=${root}`,
        "--link=link",
        "--period=50ms",
        "--max-failures=-1",
      ],
      file: () => readFileSync(join(link, "file"), "utf8"),
      hash: () => basename(readlinkSync(link)),
    })
  })
}
