import { KubeError } from "../kube-error.ts"
import { OBJECT_LIMIT_BYTES } from "./read-answer.ts"

const NEWLINE = 0x0a

/**
 * Splits a stream into the JSON values of its lines. Throws `kube/unavailable` for a line that is not JSON,
 * does not end, or is cut off by the end of the stream.
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let held: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      held.push(chunk.subarray(start, end))
      const line = held.length === 1 ? held[0] : Buffer.concat(held)
      held = []
      size = 0
      start = end + 1
      if (line && line.length > 0) yield parseLine(line.toString("utf8"))
    }
    if (start === chunk.length) continue
    held.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > OBJECT_LIMIT_BYTES) throw new KubeError("kube/unavailable", "watch: a line does not end")
  }
  if (size > 0) yield parseLine(Buffer.concat(held).toString("utf8"))
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new KubeError("kube/unavailable", "watch: an event is not JSON, or cut off", { cause: error })
  }
}
