import { describe, expect, it } from "vitest"
import { compareView, renderView } from "./render-view.ts"

const OID = "f2ad6c76f0115a6ba5b00456a849810e7ec0af20"

describe("compareView", () => {
  it("takes what every object inherits for no value of the ConfigMap", () => {
    const existing = { metadata: { namespace: "ci", name: "alpha" }, data: {}, binaryData: {} }
    for (const key of ["constructor", "toString", "__proto__"]) {
      for (const gzip of [false, true]) {
        const planned = { key, gzip, file: { path: `a/${key}`, oid: OID, size: 1, executable: false } }
        const target = { cluster: "east", namespace: "ci", name: "alpha" }
        const difference = compareView(existing, { target, view: true, keys: [planned] }, () => true)
        expect(difference).toEqual({ stale: [planned], surplus: [] })
      }
    }
  })
})

describe("renderView", () => {
  it("gives no ConfigMap whose stamp no reader of ours could read", () => {
    const planned = { target: { cluster: "east", namespace: "ci", name: "alpha" }, view: true, keys: [] }
    const stamped = (epoch: number, commit: string) => {
      const stamp = { source: "release", token: { epoch, seq: 1 }, commit, rulesCommit: undefined }
      return renderView(undefined, planned, { stale: [], surplus: [] }, [], { ...stamp, content: undefined })
    }
    expect(stamped(1e15, OID).metadata.annotations).toMatchObject({ "headrace.dev/commit": OID })
    for (const [epoch, commit] of [
      [1e15 + 1, OID],
      [1.5, OID],
      [1, "x"],
    ] as const)
      expect(() => stamped(epoch, commit)).toThrow(expect.objectContaining({ code: "reconcile/bad-stamp" }))
  })
})
