import { escapeText } from "../foundation/escape-text.ts"

/** What takes no longer needs no sign of life. */
const QUIET_MS = 2000
const TERMINAL_MS = 250
const PLAIN_MS = 10_000
const CLEAR_LINE = "\r\u001b[2K"

/** Where progress goes: standard error, as far as this needs it. */
export interface ProgressOutput {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

/** Signs of life of a command. */
export interface Progress {
  /** Says what is done now, such as `writing 120 of 400`. */
  report(phase: string): void
  /** Takes the line away from a terminal. */
  end(): void
}

/**
 * Shows, from two seconds on, what a command does and for how long: on a terminal one line that is rewritten, elsewhere
 * a plain line every ten seconds and at the first sign.
 */
export function startProgress(
  what: string,
  output: ProgressOutput = process.stderr,
  quiet = QUIET_MS,
): Progress {
  const start = performance.now()
  const isTerminal = output.isTTY === true
  let phase = "starting"
  let isShown = false
  let shownAt = Number.NEGATIVE_INFINITY

  function show(): void {
    const now = performance.now()
    if (now - start < quiet || (!isTerminal && now - shownAt < PLAIN_MS)) return
    shownAt = now
    const text = escapeText(`${what}: ${phase}, ${Math.round((now - start) / 1000)} s`)
    if (!isTerminal) return void output.write(`${text}\n`)
    isShown = true
    output.write(`${CLEAR_LINE}${text.slice(0, (output.columns ?? 80) - 1)}`)
  }

  const timer = setInterval(show, TERMINAL_MS)
  timer.unref()
  return {
    report(next) {
      phase = next
    },
    end() {
      clearInterval(timer)
      if (isShown) output.write(CLEAR_LINE)
      isShown = false
    },
  }
}
