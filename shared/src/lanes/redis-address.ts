import { UsageError } from "../foundation/errors.ts"

export interface RedisNode {
  host: string
  port: number
}

/** Where Redis is, and how to get in: a Redis URL taken apart. */
export interface RedisAddress {
  kind: "single" | "sentinel" | "cluster"
  nodes: readonly RedisNode[]
  username: string | undefined
  password: string | undefined
  database: number
  /** The name that the sentinels know the master by. */
  master: string | undefined
  sentinelPassword: string | undefined
  /** Undefined: no TLS. Paths of PEM files. */
  tls: { ca?: string; cert?: string; key?: string; servername?: string } | undefined
}

const SHAPE =
  /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/
const DEFAULT_PORT = { single: 6379, cluster: 6379, sentinel: 26_379 } as const
const PARAMETERS = ["ca", "cert", "key", "servername", "sentinel-password"]

/**
 * Reads a Redis URL:
 *
 *     redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]          rediss://… over TLS
 *     redis+sentinel://[…@]HOST:PORT[,HOST:PORT…]/MASTER[/DATABASE][?sentinel-password=…]
 *     redis+cluster://[…@]HOST:PORT[,HOST:PORT…]
 *
 * With TLS, `?ca=FILE`, `cert=FILE`, `key=FILE` and `servername=NAME` may follow. User and password are
 * percent-encoded. Throws UsageError `lanes/redis-url`, which never repeats the URL: it holds a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = SHAPE.exec(url.trim())
  if (!match) throw badUrl("it does not read redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]")
  const [, scheme, kindText, credentials, hosts = "", path = "", query = ""] = match
  const kind = (kindText ?? "single") as RedisAddress["kind"]
  const parameters = readParameters(query, scheme === "rediss")
  const nodes = hosts.split(",").map((text) => readNode(text, DEFAULT_PORT[kind]))
  if (kind === "single" && nodes.length > 1)
    throw badUrl("several hosts need redis+sentinel or redis+cluster")
  return {
    kind,
    nodes,
    ...readCredentials(credentials),
    ...readPath(kind, path),
    sentinelPassword: parameters.get("sentinel-password") ?? undefined,
    tls: scheme === "rediss" ? readTls(parameters) : undefined,
  }
}

/** How the text of an address ends whose URL is rediss://. */
export const OVER_TLS = " over TLS"

/** Host and port of every node, and whether by TLS, for logs: no credentials. */
export function redisAddressText({ nodes, tls }: RedisAddress): string {
  const servers = nodes.map((node) => `${node.host}:${node.port}`).join(",")
  return tls === undefined ? servers : `${servers}${OVER_TLS}`
}

function readNode(text: string, defaultPort: number): RedisNode {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text)
  if (!match?.[1]) throw badUrl("a host does not read HOST[:PORT]")
  return {
    host: match[1].replace(/^\[|\]$/g, ""),
    port: match[2] === undefined ? defaultPort : Number(match[2]),
  }
}

function readCredentials(text: string | undefined): Pick<RedisAddress, "username" | "password"> {
  if (!text) return { username: undefined, password: undefined }
  const colon = text.indexOf(":")
  const [user, password] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)]
  return { username: decode(user) || undefined, password: decode(password) || undefined }
}

function readPath(kind: RedisAddress["kind"], path: string): Pick<RedisAddress, "master" | "database"> {
  const parts = path.split("/").filter((part) => part !== "")
  const master = kind === "sentinel" ? parts.shift() : undefined
  if (kind === "sentinel" && !master) throw badUrl("redis+sentinel needs the master's name: …/MASTER")
  const database = parts.shift() ?? "0"
  if (!/^\d+$/.test(database) || parts.length > 0) throw badUrl("the database is not a number")
  if (kind === "cluster" && database !== "0") throw badUrl("a Redis Cluster has database 0 alone")
  return { master: master === undefined ? undefined : decode(master), database: Number(database) }
}

function readParameters(query: string, tls: boolean): URLSearchParams {
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name)) throw badUrl(`it has an unknown parameter "${name}"`)
    if (!tls && name !== "sentinel-password") throw badUrl(`"${name}" needs rediss://`)
  }
  return parameters
}

function readTls(parameters: URLSearchParams): NonNullable<RedisAddress["tls"]> {
  const names = ["ca", "cert", "key", "servername"] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = parameters.get(name)
      return value ? [[name, value]] : []
    }),
  )
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw badUrl("user, password or name is not percent-encoded", cause)
  }
}

function badUrl(why: string, cause?: unknown): UsageError {
  return new UsageError("lanes/redis-url", `the Redis URL cannot be used: ${why}`, {
    hint: "Write redis://, rediss://, redis+sentinel:// or redis+cluster://, with special characters of the password percent-encoded.",
    cause,
  })
}
