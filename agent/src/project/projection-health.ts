import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import { createHealth, type Health } from "../health/health.ts"
import type { HealthState } from "../health/judge-health.ts"
import type { CheckResult } from "../health/run-check.ts"
import type { ProjectionSpec } from "./projection-spec.ts"

export interface ProjectionHealthPorts {
  clock: Clock
  log: Log
  /** Called when what the checks found has changed. */
  onChange(): void
  /** Called when a candidate of a rollout fails a check: another revision is to be shown. */
  onFailing(): void
  onRun?: ((spec: ProjectionSpec, check: string, result: CheckResult) => void) | undefined
}

/** The checks of a projection, by its `after`; what they find is logged when it changes. */
export function createProjectionHealth(spec: ProjectionSpec, ports: ProjectionHealthPorts): Health {
  function onChange({ of, checks, problem }: HealthState): void {
    const fields = { revision: of.revision, seq: of.token.seq, candidate: of.isCandidate, ...problem }
    if (checks === "failing") ports.log.warn(fields, "a check of what is shown fails")
    if (checks === "passing") ports.log.info(fields, "the checks of what is shown pass")
    ports.onChange()
    if (checks === "failing" && of.isCandidate) ports.onFailing()
  }
  const { clock, onRun } = ports
  return createHealth(spec.after ?? [], {
    clock,
    onChange,
    onRun: (check, result) => onRun?.(spec, check, result),
  })
}
