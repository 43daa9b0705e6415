import { describe, expect, it } from "vitest"
import { judgeBytes } from "./judge-bytes.ts"

function planned(path: string, size: number) {
  return { key: path, gzip: false, file: { path, oid: path, size, executable: false } }
}

describe("judgeBytes", () => {
  const bounds = { file: 100, target: 250 }

  it("names the largest file beyond the bound of a file", () => {
    const [objection] = judgeBytes("x", [planned("a", 101), planned("b", 150), planned("c", 1)], bounds)
    expect(objection).toMatchObject({ code: "plan/file-too-large", message: expect.stringContaining("b of") })
  })

  it("names the sum of a target beyond its bound", () => {
    const keys = [planned("a", 100), planned("b", 100), planned("c", 51)]
    const [objection] = judgeBytes("x", keys, bounds)
    expect(objection).toMatchObject({
      code: "plan/target-too-large",
      message: expect.stringContaining("251 bytes"),
    })
  })

  it("lets pass what is exactly as large as the bounds", () => {
    expect(judgeBytes("x", [planned("a", 100), planned("b", 100), planned("c", 50)], bounds)).toEqual([])
  })
})
