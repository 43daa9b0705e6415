import { execFile } from "node:child_process"
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"

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
  rebase(meanwhile: Changes, first: Changes, ...others: Changes[]): Promise<string>
  /** Main becomes another commit, a descendant or not. */
  forcePush(commit: string): Promise<string>
}

const run = promisify(execFile)

/** The environment of git in tests: nobody's configuration, a fixed author, no `git maintenance` after every commit. */
export const testGitEnvironment: Record<string, string> = {
  PATH: process.env.PATH ?? "",
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "maintenance.auto",
  GIT_CONFIG_VALUE_0: "false",
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
  const top = temporaryFolder("headrace-repo-")
  try {
    const repo = await createRepo(join(top, "repo"), join(top, "scratch"))
    return await fn(repo)
  } finally {
    await rm(top, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Steps of git as one script: to start a process from one with much memory takes longer than git does. */
const START = "git init --quiet --initial-branch=main && git commit --quiet --allow-empty --message start"
const COMMIT =
  'git add --all --force && git commit --quiet --allow-empty --message "$1" && git rev-parse HEAD'
const COMMIT_ON_TOPIC = `git checkout --quiet -b "$2" && ${COMMIT}`
const TO_MAIN = "git checkout --quiet main"
const MERGE = `${TO_MAIN} && git merge --quiet --no-ff --message "Merge $1" "$1" && git rev-parse main`
const SQUASH = `${TO_MAIN} && git merge --quiet --squash "$1" >&2 && git commit --quiet --message "Squash $1" && git rev-parse main`
const REBASE = `git rebase --quiet main "$1" && ${TO_MAIN} && git merge --quiet --ff-only "$1" && git rev-parse main`

async function createRepo(folder: string, scratch: string): Promise<TestRepo> {
  await mkdir(folder)
  await mkdir(scratch)
  const options = { cwd: folder, env: testGitEnvironment, maxBuffer: 2 ** 28 }
  let topics = 0

  async function git(...args: string[]): Promise<string> {
    const { stdout } = await run("git", args, options)
    return stdout.trim()
  }
  async function steps(script: string, ...args: string[]): Promise<string> {
    const { stdout } = await run("sh", ["-c", script, "sh", ...args], options)
    return stdout.trim()
  }
  const tip = () => git("rev-parse", "main")

  async function apply(changes: Changes): Promise<void> {
    for (const [path, change] of Object.entries(changes)) await applyChange(join(folder, path), change)
  }

  async function commit(changes: Changes, message = "change"): Promise<string> {
    await apply(changes)
    return steps(COMMIT, message)
  }

  /** A new branch from where HEAD is, checked out, with these commits; gives its name. */
  async function onTopic(first: Changes, ...others: readonly Changes[]): Promise<string> {
    const topic = `topic-${++topics}`
    await apply(first)
    await steps(COMMIT_ON_TOPIC, `${topic}: change`, topic)
    for (const changes of others) await commit(changes, `${topic}: change`)
    return topic
  }

  await steps(START)
  return {
    folder,
    branch: "main",
    scratch,
    git,
    tip,
    commit,
    merge: async (changes) => steps(MERGE, await onTopic(changes)),
    squash: async (first, second) => steps(SQUASH, await onTopic(first, second)),
    async rebase(meanwhile, first, ...others) {
      const topic = await onTopic(first, ...others)
      await steps(TO_MAIN)
      await commit(meanwhile, "meanwhile")
      return steps(REBASE, topic)
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
