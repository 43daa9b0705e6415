import type { ServerResponse } from "node:http"
import { queryMatcher } from "./answer-request.ts"
import { ApiFailure } from "./api-failure.ts"
import { jsonOf } from "./json-of.ts"
import type { ObjectStore } from "./object-store.ts"
import type { ApiPath } from "./parse-api-path.ts"
import { apiVersionOf } from "./resource-kind.ts"
import { eventFor, type ObjectEvent } from "./watch-history.ts"

/** A watcher that lets this much pile up is cut off, as the real server does: it lists again. */
const BACKLOG_LIMIT_BYTES = 64 * 1024 * 1024
const BOOKMARK_INTERVAL_MS = 60_000
const BOOKMARK_BEFORE_END_MS = 2000

/**
 * Answers a watch: one JSON object a line, each sent at once. Without a version it starts with what is
 * there; a version too old gives an ERROR event with 410, not a status, as the real server does once the
 * request has passed. Throws ApiFailure before anything is sent.
 */
export function serveWatch(
  store: ObjectStore,
  path: ApiPath,
  query: URLSearchParams,
  response: ServerResponse,
  sent: (bytes: number) => void,
): void {
  const matches = queryMatcher(path, query)
  const from = query.get("resourceVersion") ?? ""
  if (!/^\d*$/.test(from))
    throw new ApiFailure(500, "", `resourceVersion: Invalid value: "${from}": invalid syntax`)
  const history = store.history(path.kind)
  const missed = history.since(Number(from))
  response.writeHead(200, { "content-type": "application/json" })
  response.flushHeaders()

  function send(type: string, object: string): void {
    const line = `{"type":"${type}","object":${object}}\n`
    sent(Buffer.byteLength(line))
    response.write(line)
    if (response.writableLength > BACKLOG_LIMIT_BYTES) response.destroy()
  }
  function tell(event: ObjectEvent | undefined): void {
    if (event) send(event.type, jsonOf(event.object))
  }
  function bookmark(): void {
    const { kind } = path.kind
    const metadata = { resourceVersion: String(store.resourceVersion), creationTimestamp: null }
    send("BOOKMARK", JSON.stringify({ kind, apiVersion: apiVersionOf(path.kind), metadata }))
  }

  if (from === "" || from === "0") {
    for (const object of store.list(path.kind, path.namespace, matches)) tell({ type: "ADDED", object })
  } else if (!missed) {
    const failure = new ApiFailure(
      410,
      "Expired",
      `too old resource version: ${from} (${store.resourceVersion})`,
    )
    send("ERROR", JSON.stringify(failure.status))
    response.end()
    return
  } else {
    for (const change of missed) tell(eventFor(change, matches))
  }
  const stop = history.listen((change) => {
    if (change.resourceVersion > Number(from)) tell(eventFor(change, matches))
  })
  const stopTimers = startTimers(query, bookmark, () => response.end())
  response.on("close", () => {
    stop()
    stopTimers()
  })
}

/** Ends the watch after `timeoutSeconds`; bookmarks each minute and shortly before the end, when asked for. */
function startTimers(query: URLSearchParams, bookmark: () => void, end: () => void): () => void {
  const seconds = Number(query.get("timeoutSeconds") ?? 0)
  const limit = seconds > 0 ? seconds * 1000 : 30 * 60_000
  const timers = [setTimeout(end, limit)]
  if (["1", "true"].includes(query.get("allowWatchBookmarks") ?? "")) {
    timers.push(setInterval(bookmark, BOOKMARK_INTERVAL_MS))
    if (limit > BOOKMARK_BEFORE_END_MS) timers.push(setTimeout(bookmark, limit - BOOKMARK_BEFORE_END_MS))
  }
  return () => timers.forEach((timer) => void clearTimeout(timer))
}
