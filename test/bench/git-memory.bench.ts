import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { procUsage } from "../harness/proc-usage.ts"
import { until } from "../harness/until.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"

const PROGRAM = join(import.meta.dirname, "../../agent/dist/main.js")
const LIMIT_MS = 180_000
const IDLE_MS = 20_000
const FOLDERS = 50
const PEER = process.env.HEADRACE_GIT_SYNC

export const goals: Readonly<Record<string, number>> = {
  "5,000 files: idle MB": 80,
  "100 MB in 5,000 files: first start, peak MB": 150,
}

/**
 * What a git source costs a node: 5,000 files when idle, and the peak of a first start on 100 MB. HEADRACE_GIT_SYNC names
 * git-sync's own program, to be measured beside ours.
 */
export async function run(): Promise<Record<string, number>> {
  const small = await withTree(5000, 4096, measurePrograms)
  const large = await withTree(5000, 20_000, async (repo) => {
    const { peak, idle } = await measure(repo, "large", agentCommand)
    return { "100 MB in 5,000 files: first start, peak MB": peak, "100 MB in 5,000 files: idle MB": idle }
  })
  return { ...small, ...large }
}

async function withTree<T>(count: number, bytes: number, use: (repo: TestRepo) => Promise<T>): Promise<T> {
  return await withRepo(async (repo) => {
    const files = Array.from({ length: count }, (_, at) => [
      `d${at % FOLDERS}/file-${at}.yaml`,
      randomBytes(bytes / 2).toString("hex"),
    ])
    await repo.commit(Object.fromEntries(files))
    return await use(repo)
  })
}

async function measurePrograms(repo: TestRepo): Promise<Record<string, number>> {
  const agent = await measure(repo, "agent", agentCommand)
  const sync = await measure(repo, "sync", syncCommand)
  const peer = PEER === undefined ? undefined : await measure(repo, "peer", peerCommand(PEER))
  return {
    "5,000 files: first start, peak MB": agent.peak,
    "5,000 files: idle MB": agent.idle,
    "5,000 files: headrace-agent git-sync, peak MB": sync.peak,
    "5,000 files: headrace-agent git-sync, idle MB": sync.idle,
    ...(peer && { "5,000 files: git-sync, peak MB": peer.peak, "5,000 files: git-sync, idle MB": peer.idle }),
  }
}

interface Started {
  command: string
  args: readonly string[]
  /** Appears when the first commit is shown. */
  shown: string
}

type StartedBy = (repo: TestRepo, folder: string) => Promise<Started>

/** Its memory in MB, from the start until it has been idle for a while. Children of it (git) do not count. */
async function measure(repo: TestRepo, name: string, startedBy: StartedBy) {
  const { command, args, shown } = await startedBy(repo, join(repo.scratch, name))
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] })
  endChildWithProcess(child)
  const closed = once(child, "close")
  try {
    await until(() => existsSync(shown) || hasEnded(child), LIMIT_MS)
    await delay(IDLE_MS)
    if (hasEnded(child)) throw new Error(`${command} ended with ${child.exitCode ?? child.signalCode}`)
    const { peakMegabytes, residentMegabytes } = procUsage(child.pid)
    return { peak: peakMegabytes, idle: residentMegabytes }
  } finally {
    child.kill("SIGTERM")
    await closed
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

const agentCommand: StartedBy = async (repo, folder) => {
  const config = `${folder}.json`
  const from = [{ git: { url: repo.folder, branch: repo.branch, poll: "2s" } }]
  const settings = {
    version: 1,
    mirrors: `${folder}-mirrors`,
    listen: "127.0.0.1:0",
    projections: { tree: { path: folder, from } },
  }
  await writeFile(config, JSON.stringify(settings))
  return {
    command: process.execPath,
    args: [PROGRAM, "--config", config],
    shown: join(folder, "..data"),
  }
}

const syncCommand: StartedBy = async (repo, folder) => ({
  command: process.execPath,
  args: [PROGRAM, "git-sync", ...syncFlags(repo, folder)],
  shown: join(folder, "tree"),
})

function peerCommand(command: string): StartedBy {
  return async (repo, folder) => ({
    command,
    args: syncFlags(repo, folder),
    shown: join(folder, "tree"),
  })
}

function syncFlags(repo: TestRepo, folder: string): string[] {
  return [
    `--repo=file://${repo.folder}`,
    `--ref=${repo.branch}`,
    `--root=${folder}`,
    "--link=tree",
    "--period=2s",
  ]
}
