// Re-exported one by one, and not merged into one value: so the declarations that tsc writes still lead to each
// module, whose codes the packages above need for their own errors.
export { bundleErrors } from "./bundle/error-codes.ts"
export { foundationErrors } from "./foundation/error-codes.ts"
export { gitErrors } from "./git/error-codes.ts"
export { guardErrors } from "./guard/error-codes.ts"
export { kubeErrors } from "./kube/error-codes.ts"
export { lanesErrors } from "./lanes/error-codes.ts"
export { observeErrors } from "./observe/error-codes.ts"
export { planErrors } from "./plan/error-codes.ts"
export { reconcileErrors } from "./reconcile/error-codes.ts"
export { recordErrors } from "./record/error-codes.ts"
export { rulesErrors } from "./rules/error-codes.ts"
export { settingsErrors } from "./settings/error-codes.ts"
