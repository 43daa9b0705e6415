import type { IncomingMessage } from "node:http"
import { KubeError } from "../kube-error.ts"

/** More than any object that Kubernetes stores takes as JSON (1.5 MiB in etcd, escapes up to sixfold). */
export const OBJECT_LIMIT_BYTES = 16 * 1024 * 1024

/** The whole body as text. Throws `kube/unavailable` when it breaks off or goes on for more than `limit` bytes. */
export async function readAnswer(what: string, message: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of message) {
      size += (chunk as Buffer).length
      if (size > limit) throw new KubeError("kube/unavailable", `${what}: the answer does not end`)
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    if (error instanceof KubeError) throw error
    throw new KubeError("kube/unavailable", `${what}: the answer broke off`, { cause: error })
  }
  return Buffer.concat(chunks).toString("utf8")
}

/** Parses an answer. Throws `kube/unavailable`: JSON that is cut off says nothing about what is there. */
export function parseAnswer(what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new KubeError("kube/unavailable", `${what}: the answer is not JSON, or cut off`, { cause: error })
  }
}
