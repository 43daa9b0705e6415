import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { testGitEnvironment } from "../harness/with-repo.ts"

const TARGETS = 10
const FILES = 200

/** A real branch with many commits ready, onto which it is moved one after the other, as merges do. */
export interface BurstBranch {
  folder: string
  /** Ids of the commits that a merge each brings. */
  commits: readonly string[]
  /** Moves the branch to a commit; when this returns, every fetch sees it. */
  moveTo(commit: string): Promise<void>
  close(): Promise<void>
}

/** Makes a bare repository of one rules file and 200 files in 10 ConfigMaps, and `merges` commits of one file each. */
export async function createBurstBranch(
  folder: string,
  clusters: readonly string[],
  merges: number,
): Promise<BurstBranch> {
  const repository = join(folder, "release.git")
  await git("init", "--quiet", "--bare", "--initial-branch=main", repository)
  await gitFed(importStream(clusters, merges), "--git-dir", repository, "fast-import", "--quiet")
  const [first = "", ...commits] = (
    await git("--git-dir", repository, "rev-list", "--reverse", "refs/heads/all")
  ).split("\n")
  await git("--git-dir", repository, "update-ref", "refs/heads/main", first)
  await git("--git-dir", repository, "update-ref", "-d", "refs/heads/all")
  return { folder: repository, commits, ...openMover(repository) }
}

/** What each ConfigMap holds after `merges` merges: key to content. */
export function contentAfter(merges: number): Map<string, Record<string, string>> {
  const files = Array.from({ length: FILES }, (_, file) => fileContent(file, -1))
  for (let merge = 0; merge < merges; merge++) files[merge % FILES] = fileContent(merge % FILES, merge)
  const targets = new Map<string, Record<string, string>>()
  files.forEach((content, file) => {
    const held = targets.get(targetOf(file)) ?? {}
    held[`f${file}.yaml`] = content
    targets.set(targetOf(file), held)
  })
  return targets
}

function importStream(clusters: readonly string[], merges: number): string {
  const start = Array.from({ length: FILES }, (_, file) => change(pathOf(file), fileContent(file, -1)))
  const commits = Array.from({ length: merges }, (_, merge) =>
    commit(`Merge ${merge}`, [change(pathOf(merge % FILES), fileContent(merge % FILES, merge))]),
  )
  return [commit("start", [change("rules.yaml", rules(clusters)), ...start]), ...commits, "done\n"].join("")
}

/** git-fast-import(1), "Input format". */
function commit(message: string, changes: readonly string[]): string {
  const head = `commit refs/heads/all\ncommitter Test <test@example.com> 1700000000 +0000\n${data(message)}`
  return `${head}${changes.join("")}\n`
}

function change(path: string, content: string): string {
  return `M 100644 inline ${path}\n${data(content)}`
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

function rules(clusters: readonly string[]): string {
  const places = clusters.map((cluster) => `      ${cluster}: [ci]\n`).join("")
  const maps = Array.from(
    { length: TARGETS },
    (_, target) =>
      `    "jobs/d${target}/*.yaml":\n      name: jobs-${target}\n      clusters:\n${places.replaceAll(/^/gm, "  ").trimEnd()}\n`,
  )
  return `config_updater:\n  maps:\n${maps.join("")}`
}

function pathOf(file: number): string {
  return `jobs/d${file % TARGETS}/f${file}.yaml`
}

function targetOf(file: number): string {
  return `jobs-${file % TARGETS}`
}

function fileContent(file: number, merge: number): string {
  return `name: job-${file}\nmerge: ${merge}\n${"note: a line as jobs have many\n".repeat(10)}`
}

function git(...args: string[]): Promise<string> {
  return gitFed("", ...args)
}

/** Runs git with this on its standard input; gives what it prints. */
function gitFed(input: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: testGitEnvironment, maxBuffer: 2 ** 28 }
    const child = execFile("git", args, options, (error, stdout) => {
      if (error) reject(error)
      else resolve(stdout.trim())
    })
    // Most commands end without reading it.
    child.stdin?.on("error", () => undefined).end(input)
  })
}

/** One git for all moves, a transaction each (git-update-ref(1), "--stdin"). */
function openMover(repository: string): Pick<BurstBranch, "moveTo" | "close"> {
  const args = ["--git-dir", repository, "update-ref", "--stdin"]
  const mover: ChildProcess = spawn("git", args, {
    env: testGitEnvironment,
    stdio: ["pipe", "pipe", "inherit"],
  })
  endChildWithProcess(mover)
  const exited = once(mover, "close")
  const waiting: (() => void)[] = []
  if (mover.stdout) {
    createInterface(mover.stdout).on("line", (line) => {
      if (line === "commit: ok") waiting.shift()?.()
    })
  }
  return {
    moveTo: (id) =>
      new Promise((resolve) => {
        waiting.push(resolve)
        mover.stdin?.write(`start\nupdate refs/heads/main ${id}\ncommit\n`)
      }),
    async close() {
      mover.stdin?.end()
      await exited
    },
  }
}
