/** The long form looks at each operation, the short one at every sixth. */
export const STEP = process.env.HEADRACE_CRASH === "long" ? 1 : 6

/** Of a disk whose operations fail: small enough to meet each kind of operation where it has to count. */
export const FAILING_STEP = process.env.HEADRACE_CRASH === "long" ? 1 : 2

/** Where the short form begins: variants of a test, by name, look at different sixths. */
export function firstOperation(variant: string): number {
  return variant.length % STEP
}
