import { z } from "zod"

/** Orders writers: (epoch, seq), seq being the count of all ancestors; only an operator or a return raises the epoch. */
export const Token = z.strictObject({ epoch: z.int().min(0), seq: z.int().min(0) })
export type Token = z.infer<typeof Token>

/** Orders tokens by epoch, then seq: negative when `a` is the smaller one. */
export function compareTokens(a: Token, b: Token): number {
  return a.epoch - b.epoch || a.seq - b.seq
}

/** `EPOCH.SEQ`, for messages and logs. */
export function tokenText(token: Token): string {
  return `${token.epoch}.${token.seq}`
}
