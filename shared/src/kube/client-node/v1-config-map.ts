import type { V1ConfigMap } from "@kubernetes/client-node"
import type { ConfigMap, ObjectMeta } from "../../foundation/config-map.ts"
import { KubeError } from "../kube-error.ts"

/** client-node's ConfigMap as ours. Throws `kube/unavailable` when it has no name. */
export function fromV1ConfigMap(object: V1ConfigMap): ConfigMap {
  const { name, namespace, labels, annotations, resourceVersion, uid, creationTimestamp } =
    object.metadata ?? {}
  if (!name || !namespace)
    throw new KubeError("kube/unavailable", "the API server's answer is not a ConfigMap")
  const metadata: ObjectMeta = { name, namespace }
  if (labels) metadata.labels = labels
  if (annotations) metadata.annotations = annotations
  if (resourceVersion) metadata.resourceVersion = resourceVersion
  if (uid) metadata.uid = uid
  if (creationTimestamp)
    metadata.creationTimestamp = new Date(creationTimestamp).toISOString().replace(".000Z", "Z")
  const configMap: ConfigMap = { metadata }
  if (object.data) configMap.data = object.data
  if (object.binaryData) configMap.binaryData = object.binaryData
  if (object.immutable !== undefined) configMap.immutable = object.immutable
  return configMap
}

/** Our ConfigMap as client-node's; the server keeps the creation time itself. */
export function toV1ConfigMap(configMap: ConfigMap): V1ConfigMap {
  const { creationTimestamp: _, ...metadata } = configMap.metadata
  return { apiVersion: "v1", kind: "ConfigMap", ...configMap, metadata }
}
