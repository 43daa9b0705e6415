import {
  bundleErrors,
  gitErrors,
  kubeErrors,
  planErrors,
  reconcileErrors,
} from "@headrace/shared/error-codes"
import type { FailedTarget } from "@headrace/shared/record/record"
import { codeOfReason, retryOfTarget, type TargetRetry } from "@headrace/shared/record/retry-of-target"

/** A failed target as status shows it: why, when it is tried again, and what to do. */
export interface FailedTargetStatus {
  target: string
  reason: string
  since: string
  /** `soon`: within a minute; `rarely`: every five minutes; `never`: with the next commit. By a plugin, while one runs. */
  retry: TargetRetry
  /** Null where the reason has no code that is known here. */
  remedy: string | null
}

const REMEDIES = new Map(
  [bundleErrors, gitErrors, kubeErrors, planErrors, reconcileErrors].flatMap((errors) =>
    Object.entries(errors).map(([code, { remedy }]) => [code, remedy] as const),
  ),
)

const WHEN: { readonly [retry in TargetRetry]: string } = {
  soon: "tried again within a minute",
  rarely: "tried again every five minutes",
  never: "tried again with the next commit",
}

export function failedTargetStatus({ target, reason, since }: FailedTarget): FailedTargetStatus {
  const remedy = REMEDIES.get(codeOfReason(reason) ?? "") ?? null
  return { target, reason, since, retry: retryOfTarget(reason), remedy }
}

/** `ci/jobs failed since …: reason; tried again within a minute. What to do.` */
export function failedTargetText({ target, reason, since, retry, remedy }: FailedTargetStatus): string {
  return `${target} failed since ${since}: ${reason}; ${WHEN[retry]}.${remedy === null ? "" : ` ${remedy}`}`
}
