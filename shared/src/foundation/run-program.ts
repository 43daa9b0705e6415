import { errorMessage, HeadraceError, UsageError } from "./errors.ts"
import { escapeLines } from "./escape-text.ts"
import { typedAdvice } from "./typed-program.ts"

const FORCED_EXIT = 130
/** How long a reader that has stopped reading keeps a program from ending that was asked to end. */
const LAST_OUTPUT_MS = 2000

/** What to do about an error of this code that brings no hint of its own; null: nothing that is known. */
export type Remedies = (code: string) => Promise<string | null>

/**
 * Runs a program's main function to its exit code: 0 done, 1 failed (or what process.exitCode was set to), 2 misused. All that it wrote has gone through its
 * pipes when it ends, however slow their readers are.
 *
 * The first SIGTERM or SIGINT aborts the signal (finish or hand back what is under way), the second ends the process
 * now. An error that ends the program is printed with its hint, or else with what `remedies` knows of its code. A reader that closes its pipe, as `head` does, is no failure: what comes after it is dropped, and the work
 * continues. Node ignores SIGPIPE, so that this shows as EPIPE on the stream.
 */
export async function runProgram(
  main: (signal: AbortSignal) => Promise<number | undefined>,
  remedies: Remedies = async () => null,
): Promise<never> {
  // Without a listener Node opens its inspector, through which any process of this user could run code in this one.
  process.on("SIGUSR1", () => undefined)
  const stop = new AbortController()
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(FORCED_EXIT)
      stop.abort(new HeadraceError("program/stopped", `stopped by ${name}`))
    })
  }
  const lost = watchOutput()
  const code = await exitCode(main, stop.signal, remedies)
  await outputGone(stop.signal)
  const failure = lost()
  if (failure === undefined) return process.exit(code)
  process.stderr.write(`${await complaint(failure, remedies)}\n`)
  return process.exit(code === 0 ? 1 : code)
}

async function exitCode(
  main: (signal: AbortSignal) => Promise<number | undefined>,
  signal: AbortSignal,
  remedies: Remedies,
): Promise<number> {
  try {
    return (await main(signal)) ?? 0
  } catch (error) {
    if (signal.aborted && error === signal.reason) return 0
    const shown = outputFailure(error) ?? error
    process.stderr.write(`${await complaint(shown, remedies)}\n`)
    return shown instanceof UsageError ? 2 : Number(process.exitCode || 1)
  }
}

/** Follows the errors of standard output and standard error; what it returns gives the first that counts. */
function watchOutput(): () => HeadraceError | undefined {
  let failure: HeadraceError | undefined
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && stream === process.stdout) failure ??= outputFailure(error)
    })
  }
  return () => failure
}

/** The error for output that could not be written: to a file, Node throws it where it was written. */
function outputFailure(error: unknown): HeadraceError | undefined {
  if (!(error instanceof Error) || error instanceof HeadraceError) return undefined
  const { syscall, path, code } = error as NodeJS.ErrnoException
  if (syscall !== "write" || path !== undefined) return undefined
  return new HeadraceError("program/output", `the output could not be written (${code})`, {
    hint: "Make room where it goes, and run it again.",
    cause: error,
  })
}

/** Resolves once all that was written is through, or its reader is gone, or the operator no longer waits. */
async function outputGone(signal: AbortSignal): Promise<void> {
  const written = [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
  )
  await Promise.race([Promise.all(written), stopped(signal)])
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const limit = () => setTimeout(resolve, LAST_OUTPUT_MS)
    if (signal.aborted) limit()
    else signal.addEventListener("abort", limit, { once: true })
  })
}

async function complaint(error: unknown, remedies: Remedies): Promise<string> {
  if (!(error instanceof HeadraceError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const advice = typedAdvice(error.hint ?? (await remedies(error.code)) ?? "")
  // Of several lines each names its own code: that of the error itself belongs to the first, which is about them all.
  const [first = "", ...lines] = errorMessage(error).split("\n")
  const below = [...lines, ...(advice ? [`  ${advice}`] : [])].map((line) => `\n${line}`).join("")
  return escapeLines(`error: ${first} [${error.code}]${below}`)
}
