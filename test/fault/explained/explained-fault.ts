import type { Fault } from "../../harness/faulty-fleet.ts"

/** A fault, and what explain has to say of a commit meanwhile. */
export interface ExplainedFault {
  /** The fault tests that inject it, as `FILE: the beginning of the test's name`; none: no file of test/fault does. */
  of: readonly string[]
  what: string
  fault: Fault
  answer: RegExp
  /** What the text has, its line breaks taken out: the cause, since when, and what to type. */
  says: readonly RegExp[]
}
