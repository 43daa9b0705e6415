import { describe, expect, it } from "vitest"
import { kubeErrorOfAnswer, retryAfterMilliseconds } from "./kube-answer.ts"

describe("kubeErrorOfAnswer", () => {
  it.each([
    [409, { reason: "AlreadyExists" }, "kube/already-exists"],
    [409, { reason: "Conflict" }, "kube/conflict"],
    [422, { reason: "Invalid", details: { causes: [{ reason: "FieldValueTooLong" }] } }, "kube/too-large"],
    [422, { reason: "Invalid", details: { causes: [{ reason: "FieldValueInvalid" }] } }, "kube/invalid"],
    [500, { message: "etcdserver: request is too large" }, "kube/too-large"],
    [403, "<html>a proxy says no</html>", "kube/forbidden"],
    [502, undefined, "kube/unavailable"],
    [500, '{"message": "cut o', "kube/unavailable"],
    [429, null, "kube/too-many-requests"],
    [418, { details: { causes: "none" }, message: 5 }, "kube/invalid"],
  ])("reads %i with %j as %s", (status, body, code) => {
    const error = kubeErrorOfAnswer("get x", status, body)
    expect([error.code, error.status]).toEqual([code, status])
    expect(error.message).toMatch(/^get x: ./)
  })

  it("takes the wait from the header, otherwise from the status", () => {
    const body = { details: { retryAfterSeconds: 3 } }
    expect(kubeErrorOfAnswer("x", 429, body, "2").retryAfter).toBe(2000)
    expect(kubeErrorOfAnswer("x", 429, body).retryAfter).toBe(3000)
    expect(retryAfterMilliseconds("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000)
    expect(retryAfterMilliseconds("soon")).toBeUndefined()
  })
})
