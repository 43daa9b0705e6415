import { KubeError } from "../kube-error.ts"

const NEWLINE = 0x0a

/**
 * Splits a stream into the JSON values of its lines. Throws `kube/unavailable` for a line that is not JSON,
 * is longer than `most` bytes, or is cut off by the end of the stream.
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>, most: number): AsyncGenerator<unknown> {
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
    if (size > most) throw new KubeError("kube/answer-too-large", `watch: a line has more than ${most} bytes`)
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
