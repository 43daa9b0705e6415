import { describe, expect, it } from "vitest"
import { combineFiles, type ProjectedFile, pathUnder } from "./projected-files.ts"

function file(path: string, origin: string): ProjectedFile {
  return { path, origin, mode: 0o444, size: 0, sha256: "0".repeat(64), read: async () => Buffer.alloc(0) }
}

describe("pathUnder", () => {
  it("joins a folder and a name, whatever slashes the folder ends in", () => {
    expect(pathUnder(undefined, "a")).toBe("a")
    expect(pathUnder("steps", "a/b")).toBe("steps/a/b")
    expect(pathUnder("/steps/", "a")).toBe("steps/a")
  })
})

describe("combineFiles", () => {
  it("keeps the files of all sources in their order", () => {
    const all = combineFiles([[file("b", "one"), file("a", "one")], [file("c", "two")]])
    expect(all.map((each) => each.path)).toEqual(["b", "a", "c"])
  })

  it("names both sources that give one path", () => {
    const both = [[file("x/a", "ConfigMap ci/one, key a")], [file("x/a", "ConfigMap ci/two, key a")]]
    expect(() => combineFiles(both)).toThrow(
      'two files for "x/a": ConfigMap ci/one, key a and ConfigMap ci/two, key a',
    )
  })

  it("refuses a file where another source needs a folder", () => {
    const both = [[file("x/y/z", "ConfigMap ci/one, key z")], [file("x/y", "ConfigMap ci/two, key y")]]
    expect(() => combineFiles(both)).toThrow(/two files for "x\/y": ConfigMap ci\/two.*ConfigMap ci\/one/)
  })
})
