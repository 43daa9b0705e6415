/** A git object id in full, of either hash: 40 or 64 lower-case hex digits; never an option, a ref or an abbreviation. */
export const FULL_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/
