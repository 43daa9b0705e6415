import { type ChildProcess, spawn } from "node:child_process"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { freePort } from "@headrace/config/local/free-port"
import { findRedisServer, type LocalRedis, startLocalRedis } from "@headrace/config/local/redis-server"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { Redis } from "ioredis"

const MASTER = "headrace-main"
const SLOTS = 16_384

export interface TestSentinel {
  url: string
  master: LocalRedis
  replica: LocalRedis
  /** From now on nothing that the master takes reaches the replica; its clients notice nothing. */
  stopReplication(): Promise<void>
}

/** A master, a replica and a sentinel that fails over within a second or two. */
export async function withSentinel<T>(fn: (sentinel: TestSentinel) => Promise<T>): Promise<T> {
  const master = await startLocalRedis()
  const replica = await startLocalRedis({ args: ["--replicaof", "127.0.0.1", String(master.port)] })
  const sentinel = await startSentinel(master.port)
  try {
    await untilAnswer(replica.port, (redis) => redis.info("replication"), "master_link_status:up")
    await untilAnswer(sentinel.port, (redis) => redis.info("sentinel"), "slaves=1")
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/${MASTER}`
    return await fn({ url, master, replica, stopReplication: () => shutReplicasOut(master) })
  } finally {
    await sentinel.close()
    await replica.close()
    await master.close()
  }
}

/** Asks for a password from now on, which those who are connected need no more, and sends the replicas away. */
async function shutReplicasOut(master: LocalRedis): Promise<void> {
  const redis = new Redis(master.url)
  await redis.config("SET", "requirepass", "none of the replicas knows it")
  await redis.call("CLIENT", "KILL", "TYPE", "replica")
  redis.disconnect()
}

/** A Redis Cluster of three masters. */
export async function withRedisCluster<T>(fn: (cluster: { url: string }) => Promise<T>): Promise<T> {
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
  const nodes = await Promise.all([1, 2, 3].map(() => startLocalRedis({ args })))
  try {
    await joinNodes(nodes)
    return await fn({ url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}` })
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
  }
}

async function joinNodes(nodes: readonly LocalRedis[]): Promise<void> {
  const share = Math.ceil(SLOTS / nodes.length)
  for (const [position, node] of nodes.entries()) {
    const redis = new Redis(node.url)
    const last = Math.min(SLOTS, (position + 1) * share) - 1
    await redis.call("CLUSTER", "ADDSLOTSRANGE", String(position * share), String(last))
    for (const other of nodes) await redis.call("CLUSTER", "MEET", "127.0.0.1", String(other.port))
    redis.disconnect()
  }
  for (const node of nodes) {
    await untilAnswer(node.port, (redis) => redis.call("CLUSTER", "INFO"), "cluster_state:ok")
    await untilAnswer(node.port, (redis) => redis.call("CLUSTER", "INFO"), "cluster_known_nodes:3")
  }
}

async function startSentinel(masterPort: number): Promise<{ port: number; close(): Promise<void> }> {
  const folder = temporaryFolder("headrace-sentinel-")
  const port = await freePort()
  const file = join(folder, "sentinel.conf")
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${MASTER} 500`,
    `sentinel failover-timeout ${MASTER} 3000`,
  ]
  await writeFile(file, `${lines.join("\n")}\n`)
  const child: ChildProcess = spawn(await findRedisServer(), [file, "--sentinel"], { stdio: "ignore" })
  endChildWithProcess(child)
  return {
    port,
    async close() {
      const exited = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGKILL")
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function untilAnswer(
  port: number,
  ask: (redis: Redis) => Promise<unknown>,
  part: string,
): Promise<void> {
  const redis = new Redis(port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null })
  redis.on("error", () => undefined)
  try {
    for (let look = 0; !String(await ask(redis)).includes(part); look++) {
      if (look > 300) throw new Error(`redis on port ${port} never answered ${part}`)
      await delay(50)
    }
  } finally {
    redis.disconnect()
  }
}
