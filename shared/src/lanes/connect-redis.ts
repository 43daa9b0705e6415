import { readFileSync } from "node:fs"
import { Cluster, Redis, type RedisOptions } from "ioredis"
import { backoffDelay } from "../foundation/backoff.ts"
import { UsageError } from "../foundation/errors.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"
import { boundReplies, type OversizedReply } from "./bound-replies.ts"
import { CorkedRedis } from "./corked-redis.ts"
import type { RedisAddress } from "./redis-address.ts"
import { unselected } from "./redis-refusal.ts"

export type RedisClient = Redis | Cluster
/** A connection to one server of Redis. */
export type RedisNodeClient = Redis

export interface ConnectRedisOptions {
  /**
   * True: a command fails at once while Redis is away, and after `timeLimit` otherwise (the webhook path).
   * False: it waits for Redis to come back (the workers; BullMQ asks for this).
   */
  failFast: boolean
  /** Milliseconds that a command may take; with `failFast` alone. */
  timeLimit?: number
  /** Bytes of one reply; absent: the default of `bounds.redisReply`. */
  mostReply?: number | undefined
  /** Called with every connection error; ioredis reconnects by itself. */
  onError(error: Error): void
  /** Called with what was asked when a reply is beyond `mostReply`; the connection closes. */
  onOversized?: ((reply: OversizedReply) => void) | undefined
}

/** `replyMapping` takes no undefined, which the rest of ioredis' own type brings along. */
type CommonOptions = Omit<RedisOptions, "replyMapping">

const RECONNECT_TO_PRIMARY_MS = 5000
const RECONNECT = { first: 50, limit: 2000 }
/**
 * A connection on which no answer comes for so long is dead (its other end lost power, a firewall forgot it) and
 * is made again; TCP itself would go on resending for a quarter of an hour. Longer than BLOCK_SECONDS.
 */
const SILENCE_MS = 4000

/** Opens a connection; it need not be up yet, and comes back by itself, jittered, within 2 s of Redis. */
export function connectRedis(address: RedisAddress, options: ConnectRedisOptions): RedisClient {
  const { mostReply = DEFAULT_WRITER_BOUNDS.redisReply } = options
  const client =
    address.kind === "cluster" ? connectCluster(address, options) : connectSingle(address, options)
  client.on("error", options.onError)
  if (client instanceof Redis) refuseOtherDatabase(client)
  boundReplies(client, { most: mostReply, onError: options.onError, onOversized: options.onOversized })
  return client
}

/** After a SELECT that fails, ioredis would work in database 0: the connection is closed, and made again later. */
function refuseOtherDatabase(client: Redis): void {
  client.on("error", (error) => {
    if (unselected(error) !== undefined) client.stream.destroy()
  })
}

function connectSingle(address: RedisAddress, options: ConnectRedisOptions): Redis {
  const [node] = address.nodes
  if (address.kind === "single") {
    return new CorkedRedis({
      ...commonOptions(address, options),
      host: node?.host ?? "",
      port: node?.port ?? 0,
    })
  }
  return new Redis({
    ...commonOptions(address, options),
    sentinels: [...address.nodes],
    name: address.master ?? "",
    sentinelRetryStrategy: retryDelay,
    ...(address.sentinelPassword ? { sentinelPassword: address.sentinelPassword } : {}),
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(address.tls) } : {}),
  })
}

function connectCluster(address: RedisAddress, options: ConnectRedisOptions): Cluster {
  return new Cluster([...address.nodes], {
    redisOptions: commonOptions(address, options),
    enableOfflineQueue: !options.failFast,
    clusterRetryStrategy: retryDelay,
    ...(options.failFast ? { maxCommandRedirections: 4 } : {}),
  })
}

function commonOptions(address: RedisAddress, options: ConnectRedisOptions): CommonOptions {
  return {
    ...(address.username ? { username: address.username } : {}),
    ...(address.password ? { password: address.password } : {}),
    ...(address.tls ? { tls: tlsOptions(address.tls) } : {}),
    db: address.database,
    connectTimeout: 5000,
    keepAlive: 10_000,
    socketTimeout: SILENCE_MS,
    retryStrategy: retryDelay,
    reconnectOnError: reconnectToPrimary(),
    enableOfflineQueue: !options.failFast,
    // A fail-fast command is not sent again behind its caller's back: the caller already has the error.
    autoResendUnfulfilledCommands: !options.failFast,
    maxRetriesPerRequest: options.failFast ? 0 : null,
    ...(options.failFast && options.timeLimit ? { commandTimeout: options.timeLimit } : {}),
  }
}

/**
 * After a failover the old primary answers READONLY: connect again, and send the command again. Not more often than
 * every few seconds: an address that keeps leading to a replica would be asked without end.
 */
function reconnectToPrimary(): (error: Error) => 2 | false {
  let last = Number.NEGATIVE_INFINITY
  return (error) => {
    if (!error.message.startsWith("READONLY")) return false
    const now = performance.now()
    if (now - last < RECONNECT_TO_PRIMARY_MS) return false
    last = now
    return 2
  }
}

function retryDelay(times: number): number {
  return backoffDelay(RECONNECT, times - 1)
}

function tlsOptions(tls: NonNullable<RedisAddress["tls"]>): {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  servername?: string
} {
  return {
    ...(tls.ca ? { ca: readPem(tls.ca) } : {}),
    ...(tls.cert ? { cert: readPem(tls.cert) } : {}),
    ...(tls.key ? { key: readPem(tls.key) } : {}),
    ...(tls.servername ? { servername: tls.servername } : {}),
  }
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new UsageError("lanes/redis-tls", `cannot read ${file}, which the Redis URL names for TLS`, {
      cause,
    })
  }
}
