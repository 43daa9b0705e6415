import { Cluster } from "ioredis"
import type { RedisClient } from "./connect-redis.ts"

/**
 * True when a server has used up its maxmemory. With noeviction it then answers reads and refuses wake-ups with OOM
 * (redis.io, "Key eviction"), so that a read alone shows nothing.
 */
export async function isRedisFull(client: RedisClient): Promise<boolean> {
  const servers = client instanceof Cluster ? client.nodes("master") : [client]
  const memories = await Promise.all(servers.map((server) => server.info("memory")))
  return memories.some((memory) => {
    const limit = bytesIn(memory, "maxmemory")
    return limit > 0 && bytesIn(memory, "used_memory") > limit
  })
}

function bytesIn(memory: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(memory)?.[1] ?? 0)
}
