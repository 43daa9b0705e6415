import { HeadraceError } from "../foundation/errors.ts"
import type { RedisNodeClient } from "./connect-redis.ts"

/**
 * Every command that lanes give to Redis, in scripts and outside of them, with arguments of a legal shape. Each takes
 * the key in place of `KEY`. BullMQ's share of them is that of the scripts that a queue and a worker run.
 */
const COMMANDS: readonly string[] = [
  "bzpopmin KEY 1",
  "client|setname worker",
  "del KEY",
  "eval 0 0",
  "evalsha 0 0",
  "exists KEY",
  "expire KEY 1",
  "get KEY",
  "hdel KEY f",
  "hexists KEY f",
  "hget KEY f",
  "hgetall KEY",
  "hincrby KEY f 1",
  "hmget KEY f",
  "hmset KEY f 1",
  "hset KEY f 1",
  "hvals KEY",
  "incr KEY",
  "info",
  "lindex KEY 0",
  "llen KEY",
  "lpos KEY 1",
  "lpush KEY 1",
  "lrange KEY 0 0",
  "lrem KEY 0 1",
  "ltrim KEY 0 0",
  "persist KEY",
  "pexpire KEY 1",
  "ping",
  "pttl KEY",
  "rename KEY KEY",
  "rpop KEY",
  "rpoplpush KEY KEY",
  "rpush KEY 1",
  "sadd KEY 1",
  "scard KEY",
  "set KEY 1",
  "smembers KEY",
  "srem KEY 1",
  "time",
  "unlink KEY",
  "xadd KEY * f 1",
  "xtrim KEY MAXLEN 1",
  "zadd KEY 0 1",
  "zcard KEY",
  "zcount KEY 0 1",
  "zpopmin KEY",
  "zrange KEY 0 1",
  "zrangebyscore KEY 0 1",
  "zrem KEY 1",
  "zremrangebyrank KEY 0 1",
  "zremrangebyscore KEY 0 1",
  "zrevrange KEY 0 1",
  "zrevrangebyscore KEY 1 0",
  "zscore KEY 1",
]
const TRANSACTION = ["multi", "exec", "discard"]

/** Names of the commands that the user of a Redis URL must be allowed to run. */
export const REDIS_COMMANDS: readonly string[] = [
  ...COMMANDS.map((text) => text.split(" ")[0] ?? ""),
  ...TRANSACTION,
].sort()

/**
 * Finds the rights that this connection's user lacks, without running any command: Redis checks a command of a
 * transaction when it is queued, and the transaction is then discarded (redis.io, "Transactions" and "ACL").
 * `key` is one of this installation's, `user` the name for the hint. Throws `lanes/redis-rights`, with the ACL command that gives what lacks.
 */
export async function requireRights(
  node: RedisNodeClient,
  { key, prefix, user }: { key: string; prefix: string; user: string },
): Promise<void> {
  // Sent in one turn, so that no other command of this program gets into the transaction.
  const replies = await Promise.allSettled([
    node.call("multi"),
    ...COMMANDS.map((text) => {
      const [name = "", ...parameters] = text.replaceAll("KEY", key).split(/[ |]/)
      return node.call(name, ...parameters)
    }),
    node.call("discard"),
    node.call("multi"),
    node.call("exec"),
  ])
  const refusals = replies.flatMap((reply) => (reply.status === "rejected" ? [String(reply.reason)] : []))
  const refused = new Set(refusals.flatMap(refusedCommand))
  const commands = REDIS_COMMANDS.filter((name) => refused.has(name))
  const keys = refusals.some((text) => /NOPERM.* key/.test(text))
  if (commands.some((name) => TRANSACTION.includes(name))) node.disconnect(true)
  if (commands.length === 0 && !keys) {
    const other = replies.find((reply) => reply.status === "rejected" && isFatal(String(reply.reason)))
    if (other?.status === "rejected") throw other.reason
    return
  }
  const given = [...(keys ? [`~${prefix}:*`] : []), ...commands.map((name) => `+${name}`)].join(" ")
  throw new HeadraceError(
    "lanes/redis-rights",
    `the Redis user must be allowed ${lacks(commands, keys, prefix)}`,
    { hint: `Run "ACL SETUSER ${user} ${given}" on Redis.` },
  )
}

function lacks(commands: readonly string[], keys: boolean, prefix: string): string {
  const parts = [...(keys ? [`the keys ${prefix}:*`] : []), ...commands]
  return parts.join(", ")
}

/** `... no permissions to run the 'config|get' command ...` */
function refusedCommand(text: string): string[] {
  const name = /NOPERM.* run the '([^']+)' command/.exec(text)?.[1]
  return name === undefined ? [] : [name.toLowerCase()]
}

/** Redis Cluster refuses to queue a key of another node, which says nothing about rights. */
function isFatal(text: string): boolean {
  return !/MOVED|CLUSTERDOWN|EXECABORT|NOSCRIPT|READONLY|OOM|MISCONF|unknown command/i.test(text)
}
