import { type ChildProcess, spawn } from "node:child_process"
import { access, constants, rm } from "node:fs/promises"
import { connect } from "node:net"
import { delimiter, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { endChildWithProcess } from "./end-with-process.ts"
import { freePort } from "./free-port.ts"
import { temporaryFolder } from "./temporary-folder.ts"

export interface LocalRedisOptions {
  /** Otherwise a free one. */
  port?: number
  /** More of redis-server's own flags, after ours. */
  args?: readonly string[]
}

/** A redis-server of our own on loopback, without persistence, gone with `close`. */
export interface LocalRedis {
  url: string
  port: number
  pid: number
  close(): Promise<void>
}

const PLACES = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin"]
const START_ATTEMPTS = 5
const START_LIMIT_MS = 10_000
const STOP_LIMIT_MS = 5000

/**
 * Starts redis-server on loopback. The program is HEADRACE_REDIS_SERVER, else the one on PATH or where
 * package managers put it. Throws `lanes/redis-server-missing` or `lanes/redis-server-failed`.
 */
export async function startLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const program = await findRedisServer()
  const folder = temporaryFolder("headrace-redis-")
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const server = spawnServer(program, folder, port, options.args ?? [])
    if (await comesUp(server, port)) return localRedis(server, folder, port)
    // Another program may have taken the port between our check and redis-server's.
    if (options.port === undefined && attempt < START_ATTEMPTS) continue
    await rm(folder, { recursive: true, force: true })
    throw new HeadraceError("lanes/redis-server-failed", `${program} did not start on port ${port}`, {
      hint: "Run it by hand with --port to see why.",
      fields: { output: server.output().slice(-2000) },
    })
  }
}

/** Path of redis-server. Throws `lanes/redis-server-missing`. */
export async function findRedisServer(): Promise<string> {
  const named = process.env.HEADRACE_REDIS_SERVER
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...PLACES]
  for (const file of named ? [named] : folders.map((folder) => join(folder, "redis-server"))) {
    if (await isExecutable(file)) return file
  }
  throw new HeadraceError("lanes/redis-server-missing", "no redis-server on this machine", {
    hint: "Install it (apt-get install redis-server, dnf install redis, brew install redis), or set REDIS_URL.",
  })
}

interface Server {
  child: ChildProcess
  exited: Promise<void>
  hasExited(): boolean
  output(): string
}

function spawnServer(program: string, folder: string, port: number, more: readonly string[]): Server {
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder]
  const child = spawn(program, [...flags, "--save", "", "--appendonly", "no", ...more], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  endChildWithProcess(child)
  let output = ""
  let gone = false
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000)
    })
  }
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      gone = true
      resolve()
    }
    child.once("exit", end)
    child.once("error", end)
  })
  return { child, exited, hasExited: () => gone, output: () => output }
}

function localRedis(server: Server, folder: string, port: number): LocalRedis {
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: server.child.pid ?? 0,
    async close() {
      if (!server.hasExited()) server.child.kill("SIGTERM")
      const stopped = await Promise.race([server.exited.then(() => true), delay(STOP_LIMIT_MS, false)])
      if (!stopped) server.child.kill("SIGKILL")
      await server.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function comesUp(server: Server, port: number): Promise<boolean> {
  const end = Date.now() + START_LIMIT_MS
  while (!server.hasExited() && Date.now() < end) {
    // The line in its output distinguishes our server from another program's on the same port.
    if (server.output().includes("eady to accept connections") && (await answers(port))) return true
    await delay(10)
  }
  if (!server.hasExited()) server.child.kill("SIGKILL")
  await server.exited
  return false
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true))
    socket.once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
