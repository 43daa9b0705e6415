import { bundleErrors } from "./bundle/error-codes.ts"
import { foundationErrors } from "./foundation/error-codes.ts"
import { gitErrors } from "./git/error-codes.ts"
import { kubeErrors } from "./kube/error-codes.ts"
import { lanesErrors } from "./lanes/error-codes.ts"
import { observeErrors } from "./observe/error-codes.ts"
import { planErrors } from "./plan/error-codes.ts"
import { reconcileErrors } from "./reconcile/error-codes.ts"
import { recordErrors } from "./record/error-codes.ts"
import { rulesErrors } from "./rules/error-codes.ts"
import { settingsErrors } from "./settings/error-codes.ts"

/** The codes of every module of this package. */
export const sharedErrors = {
  ...foundationErrors,
  ...observeErrors,
  ...settingsErrors,
  ...rulesErrors,
  ...planErrors,
  ...bundleErrors,
  ...recordErrors,
  ...gitErrors,
  ...kubeErrors,
  ...reconcileErrors,
  ...lanesErrors,
}
