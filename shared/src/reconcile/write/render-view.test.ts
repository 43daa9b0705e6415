import { describe, expect, it } from "vitest"
import { compareView } from "./render-view.ts"

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
