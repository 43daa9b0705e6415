import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

/** What a path becomes in a commit: content, an executable, a symbolic link, or nothing (null). */
export type FileChange = string | Buffer | { executable: string } | { link: string } | null
export type Changes = Record<string, FileChange>

/** A real repository with a work tree on branch `main`; each step leaves `main` checked out and gives its tip. */
export interface TestRepo {
  folder: string
  branch: string
  /** A folder for whatever else a test needs, removed with the repository. */
  scratch: string
  git(...args: string[]): Promise<string>
  tip(): Promise<string>
  commit(changes: Changes, message?: string): Promise<string>
  /** A branch of one commit, merged with a merge commit (GitHub's "merge"). */
  merge(changes: Changes): Promise<string>
  /** A branch of two commits, squashed into one on main. */
  squash(first: Changes, second: Changes): Promise<string>
  /** A branch behind main by `meanwhile`, its commits put on top (GitHub's "rebase"). */
  rebase(meanwhile: Changes, ...commits: Changes[]): Promise<string>
  /** Main becomes another commit, a descendant or not. */
  forcePush(commit: string): Promise<string>
}

const run = promisify(execFile)

/** The environment of git in tests: nobody's configuration, a fixed author. */
export const testGitEnvironment: Record<string, string> = {
  PATH: process.env.PATH ?? "",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.com",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.com",
  LC_ALL: "C",
}

/** Runs `fn` with a repository of one empty commit, and removes it. */
export async function withRepo<T>(fn: (repo: TestRepo) => Promise<T>): Promise<T> {
  const top = await mkdtemp(join(tmpdir(), "headrace-repo-"))
  try {
    const repo = await createRepo(join(top, "repo"), join(top, "scratch"))
    return await fn(repo)
  } finally {
    await rm(top, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function createRepo(folder: string, scratch: string): Promise<TestRepo> {
  await mkdir(folder)
  await mkdir(scratch)
  let topics = 0

  async function git(...args: string[]): Promise<string> {
    const { stdout } = await run("git", args, { cwd: folder, env: testGitEnvironment, maxBuffer: 2 ** 28 })
    return stdout.trim()
  }
  const tip = () => git("rev-parse", "main")

  async function commit(changes: Changes, message = "change"): Promise<string> {
    for (const [path, change] of Object.entries(changes)) await applyChange(join(folder, path), change)
    await git("add", "--all", "--force")
    await git("commit", "--quiet", "--allow-empty", "--message", message)
    return git("rev-parse", "HEAD")
  }

  async function onTopic(commits: readonly Changes[]): Promise<string> {
    const topic = `topic-${++topics}`
    await git("checkout", "--quiet", "-b", topic)
    for (const changes of commits) await commit(changes, `${topic}: change`)
    await git("checkout", "--quiet", "main")
    return topic
  }

  await git("init", "--quiet", "--initial-branch=main")
  await git("commit", "--quiet", "--allow-empty", "--message", "start")
  return {
    folder,
    branch: "main",
    scratch,
    git,
    tip,
    commit,
    async merge(changes) {
      const topic = await onTopic([changes])
      await git("merge", "--quiet", "--no-ff", "--message", `Merge ${topic}`, topic)
      return tip()
    },
    async squash(first, second) {
      const topic = await onTopic([first, second])
      await git("merge", "--quiet", "--squash", topic)
      await git("commit", "--quiet", "--message", `Squash ${topic}`)
      return tip()
    },
    async rebase(meanwhile, ...commits) {
      const topic = await onTopic(commits)
      await commit(meanwhile, "meanwhile")
      await git("rebase", "--quiet", "main", topic)
      await git("checkout", "--quiet", "main")
      await git("merge", "--quiet", "--ff-only", topic)
      return tip()
    },
    async forcePush(to) {
      await git("reset", "--quiet", "--hard", to)
      return tip()
    },
  }
}

async function applyChange(place: string, change: FileChange): Promise<void> {
  await rm(place, { recursive: true, force: true })
  if (change === null) return
  await mkdir(dirname(place), { recursive: true })
  if (typeof change === "string" || Buffer.isBuffer(change)) return writeFile(place, change)
  if ("link" in change) return symlink(change.link, place)
  await writeFile(place, change.executable)
  await chmod(place, 0o755)
}
