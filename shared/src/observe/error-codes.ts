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
  "traces/endpoint": {
    meaning: "The address that traces are to be sent to cannot be read.",
    cause: "The flag gives something else than the URL of an OTLP/HTTP receiver.",
    remedy: "Give the base URL of a collector, such as http://collector:4318.",
  },
  "traces/not-installed": {
    meaning: "Traces are to be sent, and the packages that send them are not installed.",
    cause: "A program that was installed by npm brings them as optional peers, which npm does not install.",
    remedy: "Install the optional peers that the program's package.json lists, or give no endpoint.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof observeErrors, unknown> {}
}
