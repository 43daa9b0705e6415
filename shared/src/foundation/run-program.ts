import { errorMessage, HeadraceError, UsageError } from "./errors.ts"

const FORCED_EXIT = 130

/**
 * Runs a program's main function to its exit code: 0 done, 1 failed, 2 misused.
 *
 * The first SIGTERM or SIGINT aborts the signal (finish or hand back what is under way), the second ends
 * the process now. SIGPIPE is absent: Node turns it into EPIPE on the stream, where it belongs.
 */
export async function runProgram(main: (signal: AbortSignal) => Promise<number | undefined>): Promise<never> {
  const stop = new AbortController()
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(FORCED_EXIT)
      stop.abort(new HeadraceError("program/stopped", `stopped by ${name}`))
    })
  }
  try {
    const code = await main(stop.signal)
    process.exit(code ?? 0)
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) process.exit(0)
    process.stderr.write(`${complaint(error)}\n`)
    process.exit(error instanceof UsageError ? 2 : 1)
  }
}

function complaint(error: unknown): string {
  if (!(error instanceof HeadraceError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const hint = error.hint ? `\n  ${error.hint}` : ""
  return `error: ${errorMessage(error)} [${error.code}]${hint}`
}
