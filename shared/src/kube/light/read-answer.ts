import type { IncomingMessage } from "node:http"
import { KubeError } from "../kube-error.ts"

/** Beyond any list that we ask for: a page of 250 ConfigMaps at their largest. */
const ANSWER_LIMIT_BYTES = 512 * 1024 * 1024

/** The whole body as text. Throws `kube/unavailable` when it breaks off or does not end. */
export async function readAnswer(what: string, message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of message) {
      size += (chunk as Buffer).length
      if (size > ANSWER_LIMIT_BYTES)
        throw new KubeError("kube/unavailable", `${what}: the answer does not end`)
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
