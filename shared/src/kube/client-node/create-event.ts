import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ObjectEvent } from "../event-api.ts"
import { eventJson } from "../protocol/event-json.ts"
import { FIELD_MANAGER } from "../protocol/other-writer.ts"
import type { ClusterCaller } from "./call-cluster.ts"
import { sendingText } from "./cluster-connection.ts"

/** Writes an Event about a ConfigMap. Throws KubeError. */
export async function createEvent(
  { call }: Pick<ClusterCaller, "call">,
  about: ConfigMap,
  event: ObjectEvent,
  at: number,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, name } = about.metadata
  const text = JSON.stringify(eventJson(about, event, at))
  const request = { namespace, body: { metadata: {}, involvedObject: {} }, fieldManager: FIELD_MANAGER }
  await call(`create an Event about ConfigMap ${namespace}/${name}`, false, signal, (api, callWith) =>
    api.createNamespacedEvent(request, sendingText(callWith, text)),
  )
}
