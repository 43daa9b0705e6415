import type { ByteRoom } from "../foundation/byte-room.ts"
import { noteBreach } from "../observe/bound-breaches.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"
import { KubeError } from "./kube-error.ts"

/** What the answers of one API server may cost. */
export interface AnswerLimits {
  /** Bytes of one answer, unpacked. */
  answer: number
  /** Bytes of all pages of a list, and of all objects that are followed. */
  list: number
  /** Room for answers that are larger than most, over all clusters; absent: as much as there is. */
  room?: ByteRoom | undefined
  /** What a breach is counted for: `cluster build01`. */
  culprit: string
}

/** Answers up to this size need no room: the number of calls at a time bounds them. */
const SMALL_BYTES = 2 * 1024 * 1024

export const DEFAULT_LIMITS: AnswerLimits = {
  answer: DEFAULT_WRITER_BOUNDS.answer,
  list: DEFAULT_WRITER_BOUNDS.list,
  culprit: "cluster",
}

/** A body as text, and how many bytes it had. */
export interface BoundedBody {
  text: string
  bytes: number
}

/**
 * A body as text, never more than the limit of it in memory. Throws `kube/answer-too-large`, and what `chunks` throws; what
 * is behind `chunks` is closed then.
 */
export async function readBounded(
  what: string,
  chunks: AsyncIterable<Uint8Array>,
  limits: AnswerLimits,
  signal?: AbortSignal,
): Promise<BoundedBody> {
  const reader = chunks[Symbol.asyncIterator]()
  const read: Uint8Array[] = []
  let size = 0
  async function readTo(most: number): Promise<boolean> {
    while (size <= most) {
      const next = await reader.next()
      if (next.done) return true
      size += next.value.length
      read.push(next.value)
    }
    return false
  }
  const body = () => ({ text: Buffer.concat(read).toString("utf8"), bytes: size })
  try {
    if (await readTo(Math.min(SMALL_BYTES, limits.answer))) return body()
    const rest = () => readTo(limits.answer)
    const ended = limits.room ? await limits.room.within(limits.answer, signal, rest) : await rest()
    if (ended) return body()
  } finally {
    await reader.return?.()
  }
  noteBreach("answer", limits.culprit)
  throw new KubeError("kube/answer-too-large", `${what}: the answer has more than ${limits.answer} bytes`, {
    hint: "Check what the kubeconfig's server and proxy-url lead to, or raise bounds.answer.",
  })
}

/** A list under way, whose breach of its bound is counted. */
export async function counted<Listed>({ culprit }: AnswerLimits, listing: Promise<Listed>): Promise<Listed> {
  try {
    return await listing
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/list-too-large") noteBreach("list", culprit)
    throw error
  }
}
