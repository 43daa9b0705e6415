interface Line {
  running: Promise<void>
  next: Promise<void> | undefined
}

/**
 * Joins calls under one key: while one runs, all that come share the next, which starts when it has ended.
 * Each caller so gets a call that began after it asked, and a burst of any length costs two.
 * A failure reaches those who shared that call, and no others.
 */
export function joinCalls(): (key: string, call: () => Promise<void>) => Promise<void> {
  const lines = new Map<string, Line>()

  function start(key: string, call: () => Promise<void>): Promise<void> {
    const line: Line = { running: Promise.resolve(), next: undefined }
    line.running = call().finally(() => {
      if (line.next === undefined) lines.delete(key)
    })
    lines.set(key, line)
    return line.running
  }

  return function join(key, call) {
    const line = lines.get(key)
    if (line === undefined) return start(key, call)
    line.next ??= line.running.catch(() => undefined).then(() => start(key, call))
    return line.next
  }
}
