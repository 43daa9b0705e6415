import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http"
import { Agent as HttpsAgent, request as requestHttps } from "node:https"
import { type GrowingWait, growingWait } from "@headrace/shared/foundation/backoff"
import type { Clock } from "@headrace/shared/foundation/clock"
import { CONFIG_MAP_LIMIT_BYTES } from "@headrace/shared/foundation/config-map"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { openTokenFile } from "@headrace/shared/kube/credentials/token-file"
import type { Log } from "@headrace/shared/observe/log"
import type { ObjectCachesSettings } from "@headrace/shared/settings/objects"
import pLimit from "p-limit"

/** What became of a question to a cache, for the metric. */
export type CacheAnswer = "hit" | "miss" | "failed"

/** Caches that may have objects of the store. Nothing that they answer is believed, and none of them is needed. */
export interface ObjectCaches {
  /**
   * What `open` makes of the first answer that it accepts; it throws for one that is not what the digest says. Undefined: no
   * cache has the object, or each has failed or is left alone for a while since it failed.
   */
  read<Opened>(
    digest: string,
    open: (content: Buffer) => Opened,
    signal: AbortSignal,
  ): Promise<Opened | undefined>
  close(): void
}

export interface ObjectCachesPorts {
  clock: Clock
  log: Log
  onAnswer?(answer: CacheAnswer): void
}

/** And sockets to one cache: few, since a whole fleet may start at one moment. */
const PARALLEL_READS = 2
/** How long a cache that failed is left alone: a dead one costs its time limit once, and not once for each object. */
const LEFT_ALONE: { first: number; limit: number } = { first: 2_000, limit: 60_000 }

interface Cache {
  url: string
  failures: GrowingWait
  askAgainAt: number
}

/** The caches of the settings, asked in their order, each within its time limit. */
export function openObjectCaches(
  { urls, tokenFile, timeout }: ObjectCachesSettings,
  { clock, log, onAnswer }: ObjectCachesPorts,
): ObjectCaches {
  const caches = urls.map(
    (url): Cache => ({ url: url.replace(/\/$/, ""), failures: growingWait(LEFT_ALONE), askAgainAt: 0 }),
  )
  const token = tokenFile === undefined ? undefined : openTokenFile(tokenFile)
  const sockets = { keepAlive: true, maxSockets: PARALLEL_READS }
  const agents = { http: new HttpAgent(sockets), https: new HttpsAgent(sockets) }
  const limit = pLimit(PARALLEL_READS)

  async function ask<Opened>(
    cache: Cache,
    digest: string,
    open: (content: Buffer) => Opened,
    signal: AbortSignal,
  ): Promise<Opened | undefined> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    try {
      const authorization = token && `Bearer ${await token.read()}`
      const content = await fetchObject(agents, `${cache.url}/objects/${digest}`, authorization, within)
      const opened = content && open(content)
      cache.failures.reset()
      onAnswer?.(content ? "hit" : "miss")
      return opened
    } catch (error) {
      signal.throwIfAborted()
      leaveAlone(cache, error)
      return undefined
    }
  }

  function leaveAlone(cache: Cache, error: unknown): void {
    onAnswer?.("failed")
    // Of those that were under way together only the first counts.
    if (clock.now() < cache.askAgainAt) return
    const wait = cache.failures.next()
    cache.askAgainAt = clock.now() + wait
    log.warn(
      { cache: cache.url, wait, err: errorText(error) },
      "an object cache failed: left alone for a while",
    )
  }

  return {
    async read(digest, open, signal) {
      for (const cache of caches) {
        if (clock.now() < cache.askAgainAt) continue
        const opened = await limit(async () =>
          // Others may have found it dead while this one waited for its turn.
          clock.now() < cache.askAgainAt ? undefined : ask(cache, digest, open, signal),
        )
        if (opened !== undefined) return opened
      }
      return undefined
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** Undefined for 404. No redirect is followed: the token is for this server. Throws `store/cache-failed`. */
function fetchObject(
  agents: { http: HttpAgent; https: HttpsAgent },
  url: string,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const isSecure = url.startsWith("https:")
  const options = {
    agent: isSecure ? agents.https : agents.http,
    signal,
    headers: { accept: "application/gzip", ...(authorization ? { authorization } : {}) },
  }
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const call = (isSecure ? requestHttps : requestHttp)(url, options, (response) => {
      isAnswered = true
      readObject(response).then(resolve, (cause) => {
        call.destroy()
        reject(cacheFailed(url, cause))
      })
    })
    call.on("error", (cause) => {
      // A server may close an idle socket just as it is used again.
      const isStale = call.reusedSocket && !isAnswered && !signal.aborted
      if (isStale) fetchObject(agents, url, authorization, signal).then(resolve, reject)
      else reject(cacheFailed(url, cause))
    })
    call.end()
  })
}

async function readObject(response: IncomingMessage): Promise<Buffer | undefined> {
  const status = response.statusCode ?? 0
  if (status !== 200) {
    response.resume()
    if (status === 404) return undefined
    throw new Error(`answered ${status}`)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > CONFIG_MAP_LIMIT_BYTES) throw new Error("answered with more than any object has")
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function cacheFailed(url: string, cause: unknown): HeadraceError {
  return new HeadraceError("store/cache-failed", `${url}: ${errorText(cause)}`, {
    hint: "Check the cache, its address and the token; meanwhile the node reads from the API server.",
    cause,
  })
}
