import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `observe` declares, as docs/reference/errors.md explains them. */
export const observeErrors = {
  "http/bind": {
    meaning: "The program cannot listen for requests: health checks, metrics or webhooks.",
    cause: "The port is taken, or the address is not one of this machine.",
    remedy: "Give an address of this machine and a port that no other program has.",
  },
  "http/listen": {
    meaning: "The address to listen on cannot be read.",
    cause: "The port is missing, or an IPv6 address has no brackets.",
    remedy: "Give HOST:PORT, such as 127.0.0.1:8080 or [::]:8080.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof observeErrors, unknown> {}
}
