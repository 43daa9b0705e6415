/** The long form looks at each operation, the short one at every tenth. */
export const STEP = process.env.HEADRACE_CRASH === "long" ? 1 : 10

/** Of a disk whose operations fail, beside those of each kind until one counts. */
export const FAILING_STEP = process.env.HEADRACE_CRASH === "long" ? 1 : 8

/** Where the short form begins: variants of a test, by name, look at different tenths. */
export function firstOperation(variant: string): number {
  return variant.length % STEP
}
