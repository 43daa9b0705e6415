import { escapeText } from "../foundation/escape-text.ts"
import type { RolloutSettings } from "../settings/rollout-settings.ts"

/** A check that a policy asks beside its nodes. `every` is in milliseconds. */
export type PolicyCheck =
  | { kind: "http"; url: string; every: number }
  | { kind: "prometheus"; url: string; query: string; max: number; every: number }

/** What a check answered; `why` has at most 200 characters and is fit for one line. */
export type CheckAnswer = { passes: true } | { passes: false; why: string }

/** A rejection carries the name, and a record stays under 4 KiB. */
const NAME_LENGTH = 100

/** The checks of a policy, in the order of its settings. Pure. */
export function checksOf({ http = [], prometheus = [] }: RolloutSettings["health"]): PolicyCheck[] {
  return [
    ...http.map((check) => ({ kind: "http" as const, ...check })),
    ...prometheus.map((check) => ({ kind: "prometheus" as const, ...check })),
  ]
}

/** Names a check in status, logs and records. A password or a token in its URL is left out. Pure. */
export function checkName(check: PolicyCheck): string {
  return escapeText(`${check.kind} ${whatOf(check)}`).slice(0, NAME_LENGTH)
}

function whatOf(check: PolicyCheck): string {
  if (check.kind === "prometheus") return check.query
  const { origin, pathname } = new URL(check.url)
  return `${origin}${pathname}`
}
