import { GUARDED, guardedRevision } from "../record/guarded-revision.ts"
import type { NodeReport, ReportedProjection } from "../record/node-report.ts"
import type { Token } from "../record/record.ts"
import type { Finding } from "./fleet-status.ts"
import { shortCommit } from "./short-commit.ts"
import { type CommandContext, suggestCommand, suggestOnNode } from "./suggest-command.ts"

export type Remedy = Pick<Finding, "advice" | "command">

/** What agents report of a projection that an operator's pin or rollback keeps where it is. */
const PINNED = "publish/pinned"
/** Farther ahead of now than this, no clock begins an epoch beyond it. */
const DAY_MS = 86_400_000

/** What ends the problem of a projection on its node; undefined: no command of the agent does. Pure. */
export function remedyOnNode(
  node: string,
  { path, problem }: Pick<ReportedProjection, "path" | "problem">,
): Remedy | undefined {
  if (problem?.code === PINNED) {
    const advice = `An operator keeps it there. To end that, type this in the agent's container on ${node}.`
    return { advice, command: suggestOnNode(["unpin", path]) }
  }
  const revision = problem?.code === GUARDED ? guardedRevision(problem.message) : undefined
  if (revision === undefined) return undefined
  const advice = `Correct the source; if it is meant, type this in the agent's container on ${node}.`
  return { advice, command: suggestOnNode(["approve", path, revision]) }
}

/** The same of the first projection of a node that has the problem of this code. */
export function remedyInReport(report: NodeReport, code: string): Remedy | undefined {
  const found = report.projections.filter(({ problem }) => problem?.code === code)
  return found.map((each) => remedyOnNode(report.node, each)).find((remedy) => remedy !== undefined)
}

/** True for an epoch that no full reconcile goes beyond by itself. `now` in milliseconds since the epoch. */
export function isFarAhead({ epoch }: Token, now: number): boolean {
  return epoch > now + DAY_MS
}

/** What takes a node along that shows a larger token than its record knows: an earlier record was put back. Pure. */
export function remedyOfPutBack(
  token: Token,
  place: { cluster: string; source: string; commit: string | null },
  { context, now }: { context: CommandContext; now: number },
): Remedy {
  if (isFarAhead(token, now)) {
    const to = ["--to", shortCommit(place.commit), "--epoch", String(token.epoch + 1)]
    const words = ["rewind", ...to, "--reason", "an earlier record was put back"]
    return {
      advice: "Begin an epoch beyond it, then run release.",
      command: suggestCommand(context, words, place),
    }
  }
  return {
    advice: "A plugin starts one within a minute; without a plugin this does.",
    command: suggestCommand(context, ["apply"], place),
  }
}
