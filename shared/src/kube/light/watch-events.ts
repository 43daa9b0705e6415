import type { IncomingMessage } from "node:http"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import type { WatchEvent } from "../config-map-api.ts"
import { KubeError, noAnswer } from "../kube-error.ts"
import { parseWatchEvent } from "../protocol/watch-event-json.ts"
import { jsonLines } from "./json-lines.ts"

/**
 * The events of one watch, from `open` to its end. Ends without an error when the server ends it; throws
 * `kube/timeout` after `silence` milliseconds without a byte, `kube/answer-too-large` for an event of more than `line` bytes, `kube/gone` for a version too old, and
 * `kube/unavailable` when the connection breaks or an event is cut off.
 */
export async function* watchEvents(
  what: string,
  { silence, line }: { silence: number; line: number },
  caller: AbortSignal,
  open: (signal: AbortSignal) => Promise<IncomingMessage>,
  parse?: (value: unknown) => ConfigMap,
): AsyncGenerator<WatchEvent> {
  const limit = startTimeLimit(silence, () => noAnswer(what, silence), caller)
  let message: IncomingMessage | undefined
  try {
    message = await open(limit.signal)
    for await (const value of jsonLines(
      heard(message, () => limit.restart()),
      line,
    ))
      yield parseWatchEvent(what, value, parse)
  } catch (error) {
    limit.signal.throwIfAborted()
    if (error instanceof KubeError) throw error
    throw new KubeError("kube/unavailable", `${what}: the connection broke`, { cause: error })
  } finally {
    limit.end()
    message?.destroy()
  }
}

async function* heard(message: IncomingMessage, onBytes: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of message) {
    onBytes()
    yield chunk as Buffer
  }
}
