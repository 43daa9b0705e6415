import type { Token } from "@headrace/shared/record/record"

/** True when `a` is older than `b`. */
export function isOlder(a: Token, b: Token): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)
}
