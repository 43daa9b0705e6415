import { expect, it } from "vitest"
import type { TreeProblem } from "../foundation/tree.ts"
import { foldersOfTree } from "./folders-of-tree.ts"

function fileAt(path: string) {
  return { path, oid: path, size: 1, executable: false }
}

it("shows files by their paths from the folders, the first folder's where two give a path", () => {
  const problem: TreeProblem = {
    severity: "error",
    code: "git/link-dangling",
    message: "dangles",
    file: "two/b",
    beneath: true,
  }
  const files = ["one/a", "one/b", "one-more/x", "top", "two/a", "two/c/d"].map(fileAt)
  const shown = foldersOfTree({ files, problems: [problem] }, ["two", "one"])

  expect(shown.files.map(({ path, oid }) => [path, oid])).toEqual([
    ["a", "two/a"],
    ["b", "one/b"],
    ["c/d", "two/c/d"],
  ])
  expect(shown.problems).toEqual([])
  expect(foldersOfTree({ files: [], problems: [problem] }, ["two"]).problems).toEqual([
    { ...problem, file: "b" },
  ])
  expect(foldersOfTree({ files, problems: [] }, [""]).files).toEqual(files)
})
