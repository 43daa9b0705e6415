import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ObjectEvent } from "../event-api.ts"
import { eventJson } from "../protocol/event-json.ts"
import { objectPath, writerQuery } from "../protocol/object-path.ts"
import type { ClusterCaller } from "./call-cluster.ts"

/** Writes an Event about a ConfigMap. Throws KubeError. */
export async function createEvent(
  { call }: Pick<ClusterCaller, "call">,
  about: ConfigMap,
  event: ObjectEvent,
  at: number,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, name } = about.metadata
  const what = `create an Event about ConfigMap ${namespace}/${name}`
  const path = objectPath("events", namespace, undefined, writerQuery())
  const body = JSON.stringify(eventJson(about, event, at))
  await call({ what, method: "POST", path, body }, false, signal)
}
