import { describe, expect, it } from "vitest"
import { checkPaths, checkRevisionId } from "./check-paths.ts"

const RESERVED = ["current"]

describe("checkPaths", () => {
  it.each([
    [["a"]],
    [["a", "b/c", "b/d/..e"]],
    [[".dot", "a/..foo", "x y/ü/\u{1F600}"]],
    [["x".repeat(255)]],
    [["-", "--flag", "a\nb", "a/current"]],
    [[`${"d/".repeat(2047)}ab`]],
  ])("takes %j", (paths) => {
    expect(() => checkPaths(paths, RESERVED)).not.toThrow()
  })

  it.each([
    ["empty", [""]],
    ["absolute", ["/a"]],
    ["an element ..", ["a/../b"]],
    ["an element .", ["a/./b"]],
    ["a first element that starts with ..", ["..foo/a"]],
    ["..", [".."]],
    ["an empty element", ["a//b"]],
    ["a slash at the end", ["a/"]],
    ["a NUL", ["a\0b"]],
    ["half a surrogate pair", ["a\ud800"]],
    ["256 bytes in an element", ["x".repeat(256)]],
    ["255 characters of 510 bytes", ["ü".repeat(255)]],
    ["4097 bytes in all", [`${"d/".repeat(2048)}a`]],
    ["the same path twice", ["a", "b", "a"]],
    ["a file where a folder has to be", ["q", "q/r"]],
    ["the same the other way round", ["q/r/s", "q"]],
    ["a name of the layout's", ["current/a"]],
  ])("refuses %s", (_what, paths) => {
    expect(() => checkPaths(paths, RESERVED)).toThrow(expect.objectContaining({ code: "publish/bad-path" }))
  })
})

describe("checkRevisionId", () => {
  it.each(["", ".", "..", "a/b", "-rf", ".hidden", "a\0", "x".repeat(201), "a b"])("refuses %j", (id) => {
    expect(() => checkRevisionId(id)).toThrow(expect.objectContaining({ code: "publish/bad-revision" }))
  })
})
