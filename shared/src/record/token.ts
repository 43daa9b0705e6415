import type { Token } from "./record.ts"

/** Orders tokens by epoch, then seq: negative when `a` is the smaller one. */
export function compareTokens(a: Token, b: Token): number {
  return a.epoch - b.epoch || a.seq - b.seq
}

/** `EPOCH.SEQ`, for messages and logs. */
export function tokenText(token: Token): string {
  return `${token.epoch}.${token.seq}`
}
