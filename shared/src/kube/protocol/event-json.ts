import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ObjectEvent } from "../event-api.ts"
import { FIELD_MANAGER } from "./other-writer.ts"

/** The API server's limit of `message`, in bytes: pkg/apis/core/validation/events.go, NoteLengthLimit. */
const MESSAGE_LIMIT_BYTES = 1024

/** An Event of core/v1 about a ConfigMap, as it is posted. Named as client-go names them: the object, and a time. */
export function eventJson(about: ConfigMap, { type, reason, message }: ObjectEvent, at: number): object {
  const { namespace, name, uid, resourceVersion } = about.metadata
  const time = `${new Date(at).toISOString().slice(0, 19)}Z`
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { namespace, name: `${name}.${nextNumber(at).toString(16)}` },
    involvedObject: { apiVersion: "v1", kind: "ConfigMap", namespace, name, uid, resourceVersion },
    type,
    reason,
    message: withinBytes(message, MESSAGE_LIMIT_BYTES),
    source: { component: FIELD_MANAGER },
    reportingComponent: FIELD_MANAGER,
    reportingInstance: process.env.HOSTNAME ?? "",
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
}

let last = 0n

/** Nanoseconds since the epoch, each once in this process. */
function nextNumber(at: number): bigint {
  const now = BigInt(Math.floor(at)) * 1_000_000n + BigInt(process.hrtime.bigint() % 1_000_000n)
  last = now > last ? now : last + 1n
  return last
}

function withinBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text
  // Cut between characters: a decoder in stream mode keeps back what is half there.
  const cut = new TextDecoder().decode(Buffer.from(text).subarray(0, limit - 3), { stream: true })
  return `${cut}…`
}
