import { expect, it } from "vitest"
import { checkFolders } from "./check-folders.ts"

it("names two projections of one folder, or one inside another, and takes neighbours", () => {
  const one = { name: "one", path: "/a/b" }
  expect(() => checkFolders([one, { name: "two", path: "/a/b" }])).toThrow(
    /projections (one|two) and (one|two) both want/,
  )
  expect(() =>
    checkFolders([{ name: "deep", path: "/a/b/c/d" }, { name: "near", path: "/a/b-c" }, one]),
  ).toThrow("projections one and deep both want /a/b/c/d")
  expect(() =>
    checkFolders([one, { name: "near", path: "/a/b-c" }, { name: "other", path: "/a/c" }]),
  ).not.toThrow()
})
