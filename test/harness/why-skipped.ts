/**
 * What the name of a test ends with: nothing where it runs (`reason` is undefined), otherwise the reason why it is skipped
 * here. `skipped-tests-reporter.ts` prints it, and fails a run that skips a test without one.
 */
export function whySkipped(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`
}

/** The reason of a test that only root can run; undefined for root. */
export function notRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "needs root"
}
