import { decodeTextMap, undecodable } from "./decode-text-map.ts"
import type { KubeObject } from "./kube-object.ts"

// Canonical base64 with padding, as Go's decoder takes it.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Refuses, as 400, a body that does not decode as a Secret; `stringData` becomes `data` (ToSecret in Kubernetes). */
export function decodeSecret(object: KubeObject): KubeObject {
  const { stringData, ...decoded } = object
  const data = decodeTextMap(object.data, "Secret.Data") ?? {}
  for (const [key, value] of Object.entries(data)) {
    if (!BASE64.test(value)) throw undecodable(`Secret.Data[${key}]`, "illegal base64 data")
  }
  for (const [key, value] of Object.entries(decodeTextMap(stringData, "Secret.StringData") ?? {})) {
    data[key] = Buffer.from(value).toString("base64")
  }
  if (Object.keys(data).length === 0) delete decoded.data
  else decoded.data = data
  return { ...decoded, type: typeof object.type === "string" ? object.type : "Opaque" }
}
