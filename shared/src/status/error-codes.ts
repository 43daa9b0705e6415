import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `status` declares, as docs/reference/errors.md explains them. */
export const statusErrors = {
  "status/no-answer": {
    meaning: "Git, Redis or a cluster did not answer in the time that status gives it; all else is shown.",
    cause: "It is down or slow, or the first fetch of a large repository takes longer.",
    remedy: "Give --answer-limit a longer time, such as 30s, or find out why it does not answer.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof statusErrors, unknown> {}
}
