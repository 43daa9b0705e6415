/** The settings under `bounds` that a breach is counted by. */
export type BoundName =
  | "file"
  | "target"
  | "change"
  | "files"
  | "rulesFile"
  | "targets"
  | "answer"
  | "list"
  | "redisReply"
  | "connections"
  | "connectionsPerAddress"
  | "body"
  | "bodies"

/** How often one bound was met, and by what. */
export interface BoundBreach {
  bound: BoundName
  /** What the settings name: `source ci`, `cluster build01`, `origin ci/jobs`, `redis`. Never what a sender chose. */
  culprit: string
  count: number
}

/** The settings name as many things as an operator writes; more than this many would be no name of theirs. */
const MOST_CULPRITS = 10_000

/** Of this process, like its processor time: a count that only grows. */
const breaches = new Map<string, BoundBreach>()

/** Counts a breach, for `headrace_bound_breaches_total`. */
export function noteBreach(bound: BoundName, culprit: string): void {
  const key = `${bound} ${culprit}`
  const known = breaches.get(key)
  if (known) known.count += 1
  else if (breaches.size < MOST_CULPRITS) breaches.set(key, { bound, culprit, count: 1 })
}

/** All breaches since the process began. */
export function boundBreaches(): readonly BoundBreach[] {
  return [...breaches.values()]
}
