import type { IncomingMessage } from "node:http"
import { type AnswerLimits, type BoundedBody, readBounded } from "../answer-limits.ts"
import { KubeError } from "../kube-error.ts"

/** The whole body. Throws `kube/unavailable` when it breaks off, `kube/answer-too-large`. */
export async function readAnswer(
  what: string,
  message: IncomingMessage,
  limits: AnswerLimits,
  signal: AbortSignal,
): Promise<BoundedBody> {
  try {
    return await readBounded(what, message, limits, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof KubeError) throw error
    throw new KubeError("kube/unavailable", `${what}: the answer broke off`, { cause: error })
  }
}

/** Parses an answer. Throws `kube/unavailable`: JSON that is cut off says nothing about what is there. */
export function parseAnswer(what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new KubeError("kube/unavailable", `${what}: the answer is not JSON, or cut off`, { cause: error })
  }
}
