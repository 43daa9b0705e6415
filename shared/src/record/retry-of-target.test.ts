import { expect, it } from "vitest"
import { codeOfReason, retryOfTarget } from "./retry-of-target.ts"

it.each([
  ["kube/forbidden: no rights", "soon"],
  ["kube/unavailable: leader changed", "soon"],
  ["reconcile/not-ours: ConfigMap ci/x exists", "soon"],
  ["reconcile/ahead: it carries a larger token", "soon"],
  ["git/timeout: git cat-file took longer", "soon"],
  ["reconcile/changed-on-write: the API server changed", "rarely"],
  ["reconcile/too-large: ConfigMap ci/x would hold more", "never"],
  ["two files have the key x [plan/duplicate-key]", "never"],
  ["a text that was cut…", "never"],
] as const)("%s: %s", (reason, retry) => {
  expect(retryOfTarget(reason)).toBe(retry)
})

it("finds a code at either end", () => {
  expect(codeOfReason("kube/forbidden: x [no/code] y")).toBe("kube/forbidden")
  expect(codeOfReason("x [plan/duplicate-key]")).toBe("plan/duplicate-key")
  expect(codeOfReason("x")).toBeUndefined()
})
