import { type KubeConfig, Watch } from "@kubernetes/client-node"
import type { WatchEvent } from "../config-map-api.ts"
import { parseWatchEvent } from "../protocol/watch-event-json.ts"
import { kubeErrorOf } from "./kube-error-of.ts"

/**
 * The events of one watch by client-node, as they come. A line that is not JSON is swallowed there; since the
 * next watch starts at the last version seen, what it held comes again.
 */
export async function* watchWithClientNode(
  config: KubeConfig,
  what: string,
  path: string,
  query: Record<string, string>,
  silence: number,
  signal: AbortSignal,
  onOpen?: () => void,
): AsyncGenerator<WatchEvent> {
  signal.throwIfAborted()
  const lines: unknown[] = []
  let ended: { error: unknown } | undefined
  let wake = (): void => undefined
  const watch = new Watch(config)
  // Private there, and 30 s: shorter than the time between two bookmarks.
  Reflect.set(watch, "requestTimeoutMs", silence)
  const abort = (): void => wake()
  signal.addEventListener("abort", abort)
  const controller = await watch.watch(
    path,
    query,
    (_type, _object, line: unknown) => {
      lines.push(line)
      wake()
    },
    (error: unknown) => {
      ended = { error }
      wake()
    },
  )
  // Also given when the server could not be reached; it has ended then.
  if (ended === undefined) onOpen?.()
  try {
    for (;;) {
      while (lines.length > 0) yield parseWatchEvent(what, lines.shift())
      signal.throwIfAborted()
      if (ended?.error) throw kubeErrorOf(what, ended.error)
      if (ended) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal.removeEventListener("abort", abort)
    controller.abort()
  }
}
