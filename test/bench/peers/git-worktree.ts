import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { dirname, join } from "node:path"
import type { Peer } from "./payload.ts"

/** What git-sync does for each commit: `git worktree add`, then a link moved by rename. */
export function openGitWorktree(path: string): Peer {
  const repository = join(path, "repository")
  fs.mkdirSync(repository, { recursive: true })
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@localhost", ...args], {
      cwd: repository,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim()
  git("init", "--quiet")
  const written = new Map<string, Buffer>()
  let before: string | undefined

  function commit(contents: ReadonlyMap<string, Buffer>): void {
    for (const [name, bytes] of contents) {
      if (written.get(name) === bytes) continue
      fs.mkdirSync(dirname(join(repository, name)), { recursive: true })
      fs.writeFileSync(join(repository, name), bytes)
      written.set(name, bytes)
    }
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", "payload")
  }

  return {
    name: "git_worktree",
    prepare: ({ contents }) => commit(contents),
    publish: ({ contents }) => {
      if (written.size === 0) commit(contents)
      const id = git("rev-parse", "HEAD")
      const tree = join(path, id)
      git("worktree", "add", "--quiet", "--detach", tree, id)
      fs.symlinkSync(id, join(path, "next"))
      fs.renameSync(join(path, "next"), join(path, "link"))
      if (before !== undefined) git("worktree", "remove", "--force", before)
      before = tree
    },
  }
}
