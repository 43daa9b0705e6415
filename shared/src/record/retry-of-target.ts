/** Whether a failed target is tried again without a new commit: within a minute, every few minutes, or not at all. */
export type TargetRetry = "soon" | "rarely" | "never"

/** What trying again costs a write each time, or what only another program's upgrade ends. */
const RARELY = new Set(["reconcile/changed-on-write", "reconcile/newer-format"])
/** What only a commit, or other settings, ends: both wake the lane themselves. */
const NEVER = new Set(["reconcile/too-large", "plan/namespace-closed"])

/**
 * How a target is tried again that failed for this reason. `CODE: text` is what a write met, and may end without any
 * commit: rights are given, a namespace is made, a quota is raised. `text [CODE]` is a mistake of the rules or files.
 */
export function retryOfTarget(reason: string): TargetRetry {
  const code = codeOfReason(reason)
  if (code === undefined || isMistake(reason)) return "never"
  if (NEVER.has(code)) return "never"
  return RARELY.has(code) ? "rarely" : "soon"
}

/** True for a mistake of the rules or files: the plan refused the target, and nothing was written. */
export function isMistake(reason: string): boolean {
  const code = codeOfReason(reason)
  return code !== undefined && reason.endsWith(`[${code}]`)
}

/** The code of a failed target's reason, at its start or in brackets at its end; undefined: it has none. */
export function codeOfReason(reason: string): string | undefined {
  return /^([a-z-]+\/[a-z-]+): /.exec(reason)?.[1] ?? /\[([a-z-]+\/[a-z-]+)\]$/.exec(reason)?.[1]
}
