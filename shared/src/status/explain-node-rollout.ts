import type { NodeReport } from "../record/node-report.ts"
import { tokenText } from "../record/token.ts"
import type { Step } from "./explanation.ts"

/** What a node reports for rollouts, as steps of its explanation; none where no rollout and no check concerns it. Pure. */
export function rolloutSteps({ rollout }: NodeReport): Step[] {
  if (rollout === null) return []
  const { keepsBaseline, shown, checks, failed } = rollout
  const token = shown === null ? "no one revision of the record" : `token ${tokenText(shown.token)}`
  const verdict = {
    none: "without checks",
    pending: "its checks have not passed yet",
    passing: "its checks pass",
  }
  const says = checks === "failing" ? "a check fails" : verdict[checks]
  return [
    { what: "checks", level: checks === "failing" ? "trouble" : "well", text: `shows ${token}; ${says}` },
    ...(keepsBaseline === null
      ? []
      : [{ what: "rollout", level: "notice", text: `takes no candidate: ${keepsBaseline}` } as const]),
    ...(failed === null
      ? []
      : [
          {
            what: "rollout",
            level: "trouble",
            text: `${failed.projection} refuses token ${tokenText(failed.token)}: ${failed.message}`,
          } as const,
        ]),
  ]
}
