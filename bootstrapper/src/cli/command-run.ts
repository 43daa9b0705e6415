/** What a command gets from the program, and hands back to it. */
export interface CommandRun {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal
  /** 0 done, 1 failed; misuse is thrown as a UsageError. */
  exitCode: number
  /** The exit code when the command fails by an error that is no misuse; 1 unless set. */
  failureCode?: number
}
