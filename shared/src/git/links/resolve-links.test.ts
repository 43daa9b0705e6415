import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareText } from "../../foundation/canonical-json.ts"
import type { TreeFile } from "../../foundation/tree.ts"
import { resolveLinks } from "./resolve-links.ts"

function tree(paths: readonly string[], links: Record<string, string>) {
  const files = [...paths]
    .sort(compareText)
    .map((path): TreeFile => ({ path, oid: `of ${path}`, size: 1, executable: false }))
  const sortedLinks = Object.entries(links)
    .map(([path, target]) => ({ path, target }))
    .sort((a, b) => compareText(a.path, b.path))
  const { files: shown, problems } = resolveLinks({ files, links: sortedLinks, problems: [] })
  return {
    shown: Object.fromEntries(shown.map((file) => [file.path, file.oid.slice(3)])),
    paths: shown.map((file) => file.path),
    problems: Object.fromEntries(problems.map((problem) => [problem.file, problem.code])),
  }
}

describe("resolveLinks", () => {
  it("shows a file where a link to it is, relative to the link's folder", () => {
    const { shown, problems } = tree(["a/b/file", "top"], {
      "a/link": "b/file",
      "a/b/up": "../../top",
      "a/dot": "./b/../b/file",
    })

    expect(shown).toEqual({
      "a/b/file": "a/b/file",
      "a/b/up": "top",
      "a/dot": "a/b/file",
      "a/link": "a/b/file",
      top: "top",
    })
    expect(problems).toEqual({})
  })

  it("shows a folder's files beneath a link to it, links among them resolved from where they really are", () => {
    const { shown } = tree(["d/one", "d/sub/two", "other"], { link: "d", "d/out": "../other" })

    expect(shown).toMatchObject({ "link/one": "d/one", "link/sub/two": "d/sub/two", "link/out": "other" })
  })

  it("follows links that lead through other links", () => {
    const { shown } = tree(["d/sub/file"], { a: "b", b: "d/sub", c: "a/file", deep: "a/../sub/file" })

    expect(shown).toMatchObject({ c: "d/sub/file", "a/file": "d/sub/file", deep: "d/sub/file" })
  })

  it("keeps path order with what links add", () => {
    const { paths } = tree(["b", "d/x", "z"], { a: "b", c: "d", e: "z" })

    expect(paths).toEqual(["a", "b", "c/x", "d/x", "e", "z"])
  })

  it.each([
    ["absolute", "/etc/passwd", "git/link-outside"],
    ["above the top", "../../secret", "git/link-outside"],
    ["above the top and back", "../../tree/file", "git/link-outside"],
    ["missing", "nowhere", "git/link-dangling"],
    ["through a file", "../file/x", "git/link-dangling"],
    ["a file with a slash", "../file/", "git/link-dangling"],
    ["empty", "", "git/link-dangling"],
    ["itself", "link", "git/link-cyclic"],
    ["its own folder", ".", "git/link-cyclic"],
    ["the top", "..", "git/link-cyclic"],
  ])("names a link whose target is %s", (_, target, code) => {
    const { paths, problems } = tree(["d/x", "file"], { "d/link": target })

    expect(problems).toEqual({ "d/link": code })
    expect(paths).toEqual(["d/x", "file"])
  })

  it("names every link of a cycle across folders, and shows the others", () => {
    const { shown, problems } = tree(["a/f", "b/g", "c/h"], {
      "a/to-b": "../b",
      "b/to-a": "../a",
      "c/to-a": "../a",
    })

    expect(problems).toEqual({
      "a/to-b": "git/link-cyclic",
      "b/to-a": "git/link-cyclic",
      "c/to-a/to-b": "git/link-cyclic",
    })
    expect(shown["c/to-a/f"]).toBe("a/f")
  })

  it("stops a tree of links that doubles at every level", () => {
    const links: Record<string, string> = {}
    for (let level = 0; level < 60; level++) {
      links[`l${level}/x`] = `../l${level + 1}`
      links[`l${level}/y`] = `../l${level + 1}`
    }
    const { paths, problems } = tree(["l60/file"], links)

    expect(problems["l0/x"]).toBe("git/link-too-large")
    expect(paths.length).toBeGreaterThan(1)
    expect(paths.length).toBeLessThanOrEqual(100_001)
  })

  it("gives unique, sorted paths with contents of real files only, for any links at all", () => {
    const part = fc.constantFrom("a", "b", "c")
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"))
    const target = fc
      .array(fc.oneof(part, fc.constantFrom("..", ".")), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"))
    fc.assert(
      fc.property(fc.array(path), fc.dictionary(path, target), (rawFiles, rawLinks) => {
        const links = Object.fromEntries(
          Object.entries(rawLinks).filter(
            ([at], _, all) => !all.some(([other]) => at.startsWith(`${other}/`)),
          ),
        )
        const taken = Object.keys(links)
        const files = [...new Set(rawFiles)].filter(
          (file, _, all) =>
            !all.some((other) => other !== file && file.startsWith(`${other}/`)) &&
            !taken.some(
              (link) => link === file || file.startsWith(`${link}/`) || link.startsWith(`${file}/`),
            ),
        )
        const { shown, paths, problems } = tree(files, links)

        expect(paths).toEqual([...new Set(paths)].sort(compareText))
        for (const file of files) expect(shown[file]).toBe(file)
        for (const oid of Object.values(shown)) expect(files).toContain(oid)
        for (const link of Object.keys(problems))
          expect(paths.filter((at) => at === link || at.startsWith(`${link}/`))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})
