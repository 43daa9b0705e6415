import { isUtf8 } from "node:buffer"
import { gzipSync } from "node:zlib"
import { rawRequest } from "../contract/raw-request.ts"

/** An API server to write to. */
export interface ApiServer {
  url: string
  token: string
}

/** What a key is to hold; null: it goes. */
export type ProwContent = Readonly<Record<string, Buffer | string | null>>

const LABELS = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
/** Byte of the gzip header (RFC 1952, 2.3.1) that names the operating system: 255, unknown, is what Go writes. */
const OS_BYTE = 9
const OS_UNKNOWN = 255

interface ProwObject {
  metadata: object
  data?: Record<string, string>
  binaryData?: Record<string, string>
}

/**
 * Writes a ConfigMap of namespace `ci` as Prow's updateconfig does: reads it, changes it and writes it back with
 * everything else that is on it, at the resourceVersion that it read. It labels only what it creates; VERSION is the merge's
 * commit. `program`: `hook` changes keys; `config-bootstrapper` rewrites everything, and has no VERSION unless its
 * checkout holds such a file.
 */
export async function writeAsProw(
  server: ApiServer,
  program: "hook" | "config-bootstrapper",
  name: string,
  content: ProwContent,
  version?: string,
): Promise<void> {
  const headers = { "user-agent": `${program}/v20260821-a6194089 (linux/amd64) kubernetes/$Format` }
  const all = "/api/v1/namespaces/ci/configmaps"
  const found = await rawRequest(server, "GET", `${all}/${name}`, undefined, headers)
  const before = found.status === 404 ? undefined : (found.body as unknown as ProwObject)
  const kept = program === "hook" ? before : undefined
  const data: Record<string, string> = { ...kept?.data, ...(version ? { VERSION: version } : {}) }
  const binaryData: Record<string, string> = { ...kept?.binaryData }
  for (const [key, value] of Object.entries(content)) {
    delete data[key]
    delete binaryData[key]
    if (value === null) continue
    const bytes = Buffer.from(value)
    if (isUtf8(bytes)) data[key] = bytes.toString()
    else binaryData[key] = bytes.toString("base64")
  }
  const metadata = before?.metadata ?? { name, namespace: "ci", labels: LABELS }
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data, binaryData }
  const answer = await (before
    ? rawRequest(server, "PUT", `${all}/${name}`, object, headers)
    : rawRequest(server, "POST", all, object, headers))
  if (answer.status >= 300) throw new Error(`${program}: ${name}: ${JSON.stringify(answer.body)}`)
}

/** gzip with the header that Go's compress/gzip writes: no time, no operating system. */
export function goGzip(content: string): Buffer {
  const bytes = gzipSync(content)
  bytes[OS_BYTE] = OS_UNKNOWN
  return bytes
}
