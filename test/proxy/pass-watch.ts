import type { IncomingMessage, ServerResponse } from "node:http"
import { createInterface } from "node:readline"
import type { KubeObject } from "@headrace/config/local/embedded-kube/kube-object"
import type { PastStates } from "./past-states.ts"
import type { EventPerturbation } from "./perturbation.ts"

/** An event of a watch; a bookmark's object has a version alone. */
export interface WatchedEvent {
  type: string
  object: KubeObject
}

/** Passes a watch on line by line; `judge` chooses what happens to each event but bookmarks. Ends with either side. */
export async function passWatch(
  upstream: IncomingMessage,
  response: ServerResponse,
  past: PastStates,
  judge: (event: WatchedEvent) => EventPerturbation | undefined,
): Promise<void> {
  response.writeHead(upstream.statusCode ?? 500, { "content-type": "application/json" })
  response.flushHeaders()
  response.on("close", () => upstream.destroy())
  const lines = createInterface({ input: upstream })
  try {
    for await (const line of lines) {
      const event = JSON.parse(line) as WatchedEvent
      const perturbation = ["BOOKMARK", "ERROR"].includes(event.type) ? undefined : judge(event)
      if (perturbation === "swallow") continue
      if (perturbation === "cut") {
        response.write(line.slice(0, line.length / 2), () => response.destroy())
        return
      }
      response.write(`${line}\n`)
      const older = perturbation === "go back" ? versionBefore(past, event.object) : undefined
      if (older) response.write(`${JSON.stringify({ type: "MODIFIED", object: older })}\n`)
    }
  } catch {
    // The API server's side broke, so this one does.
    response.destroy()
  } finally {
    response.end()
  }
}

/** What a replica that lags behind sends after a watch was opened there again. */
function versionBefore(past: PastStates, { metadata }: KubeObject): KubeObject | undefined {
  const { namespace = "", name, resourceVersion } = metadata
  const versions = past.versionsOf(namespace, name)
  return versions[versions.findIndex((one) => one.metadata.resourceVersion === resourceVersion) - 1]
}
