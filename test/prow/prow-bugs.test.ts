import { mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { codesOf, planCase, rulesOf, shown, touchedCase } from "./plan-case.ts"

const CONTEXT = { defaults: { cluster: "default", namespace: "default" } }

/** Prow's bugs that a plan answers; those that a write answers are in prow-bugs-written.test.ts. */
describe("Prow's bugs, in what is planned", () => {
  it("B1: a file that two globs match always goes to the first in declared order", () => {
    const narrowFirst = "maps:\n  '**/*-4.1*.yaml': {name: narrow}\n  '**/*.yaml': {name: wide}"
    const wideFirst = "maps:\n  '**/*.yaml': {name: wide}\n  '**/*-4.1*.yaml': {name: narrow}"
    const files = ["o/r-4.10.yaml"]

    for (let round = 0; round < 20; round++) {
      expect(shown(planCase({ name: "", rules: narrowFirst, files, expect: {} }))).toEqual({
        "default/default/narrow": { "r-4.10.yaml": "o/r-4.10.yaml" },
        "default/default/wide": {},
      })
      expect(shown(planCase({ name: "", rules: wideFirst, files, expect: {} }))).toEqual({
        "default/default/narrow": {},
        "default/default/wide": { "r-4.10.yaml": "o/r-4.10.yaml" },
      })
    }
  })

  it("B2: cluster groups keep the full path as key and both access lists", () => {
    const { rules } = rulesOf(
      "cluster_groups: {g: {clusters: [b], namespaces: [ns]}}\nmaps: {a: {name: c, cluster_groups: [g], use_full_path_as_key: true, allowed_repos: [org], denied_repos: [org/x], gzip: true}}",
    )

    expect(rules[0]).toMatchObject({
      useFullPathAsKey: true,
      allowedRepos: ["org"],
      deniedRepos: ["org/x"],
      gzip: true,
      places: [{ cluster: "b", namespace: "ns" }],
    })
  })

  it("B3: a rule with an allow list is planned when the repository is known, and named when it is not", () => {
    const given = { name: "", rules: "maps: {a: {name: c, allowed_repos: [org]}}", files: ["a"], expect: {} }

    expect(shown(planCase({ ...given, context: { repo: "org/name" } }))).toEqual({
      "default/default/c": { a: "a" },
    })
    expect(codesOf(planCase(given).problems)).toEqual(["plan/unknown-repository"])
  })

  it("B5: a key that is removed and given in one change is given, whatever the order of the files", () => {
    const added = { filename: "dir1/foo.yaml", status: "added" } as const
    const removed = { filename: "dir2/foo.yaml", status: "removed" } as const
    for (const changes of [
      [added, removed],
      [removed, added],
    ]) {
      const given = {
        name: "",
        rules: "maps: {'**/*.yaml': {name: c}}",
        files: ["dir1/foo.yaml"],
        changes,
        expect: {},
      }
      expect(touchedCase(given)).toEqual({ "default/default/c": { "foo.yaml": "dir1/foo.yaml" } })
    }
  })

  it("B6: a file renamed out of a rule, or into another, leaves no key behind", () => {
    const rules = "maps:\n  'a/*': {name: from, key: fixed}\n  'b/*': {name: to}"
    const moved = { filename: "b/x", previous_filename: "a/x", status: "renamed" } as const
    const gone = { filename: "elsewhere/x", previous_filename: "a/x", status: "renamed" } as const

    expect(touchedCase({ name: "", rules, files: ["b/x"], changes: [moved], expect: {} })).toEqual({
      "default/default/from": { fixed: null },
      "default/default/to": { x: "b/x" },
    })
    expect(touchedCase({ name: "", rules, files: ["elsewhere/x"], changes: [gone], expect: {} })).toEqual({
      "default/default/from": { fixed: null },
    })
  })

  it("B7: a ConfigMap whose last file went away is planned empty, not skipped", () => {
    expect(
      shown(planCase({ name: "", rules: "maps: {'a/*': {name: c}}", files: ["b"], expect: {} })),
    ).toEqual({
      "default/default/c": {},
    })
  })

  it("B10: a file that cannot be read fails its ConfigMap and is never written as an empty value", async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, "a"))
      await writeFile(join(folder, "a/whole"), "content")
      await symlink("nowhere", join(folder, "a/broken"))
      await writeFile(join(folder, "b"), "other")
      const { tree, read } = await readFolderTree([folder])

      const plan = planTargets(rulesOf("maps:\n  'a/*': {name: a}\n  b: {name: b}"), tree, CONTEXT)

      expect(shown(plan)).toEqual({ "default/default/b": { b: "b" } })
      expect(plan.problems).toMatchObject([{ severity: "error", file: "a/broken", target: { name: "a" } }])
      await writeFile(join(folder, "b"), "")
      const [file] = plan.targets.flatMap(({ keys }) => keys.map((planned) => planned.file))
      await expect(file && read(file)).rejects.toThrow(/changed/)
    })
  })

  it("B11: a source path that is a symbolic link is followed", async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, "3f9a1c"))
      await writeFile(join(folder, "3f9a1c/x"), "content")
      await symlink("3f9a1c", join(folder, "current"))
      const { tree } = await readFolderTree([join(folder, "current")])

      expect(shown(planTargets(rulesOf("maps: {x: {name: c}}"), tree, CONTEXT))).toEqual({
        "default/default/c": { x: "x" },
      })
    })
  })

  it("B12: .git is no content, however broad the glob; other hidden files are", async () => {
    await withFolder(async (folder) => {
      for (const path of [".git/config", ".github/a.yml"]) {
        await mkdir(join(folder, path, ".."), { recursive: true })
        await writeFile(join(folder, path), "content")
      }
      const { tree } = await readFolderTree([folder])

      expect(shown(planTargets(rulesOf("maps: {'**': {name: c}}"), tree, CONTEXT))).toEqual({
        "default/default/c": { "a.yml": ".github/a.yml" },
      })
    })
  })

  it("B13: two globs that end alike may fill one ConfigMap; what is judged is the files, groups included", () => {
    const rules =
      "cluster_groups: {g: {clusters: [b], namespaces: [ns]}}\nmaps:\n  'a/**/*.yaml': {name: c, cluster_groups: [g]}\n  'b/**/*.yaml': {name: c, cluster_groups: [g]}"

    expect(
      codesOf(planCase({ name: "", rules, files: ["a/1.yaml", "b/2.yaml"], expect: {} }).problems),
    ).toEqual([])
    expect(
      codesOf(planCase({ name: "", rules, files: ["a/1.yaml", "b/1.yaml"], expect: {} }).problems),
    ).toEqual(["plan/key-collision"])
  })

  it("B14: the default namespace by its two names is one place, and its files are kept", () => {
    const rules = "maps:\n  a: {name: c}\n  b: {name: c, clusters: {default: ['', default]}}"

    expect(shown(planCase({ name: "", rules, files: ["a", "b"], expect: {} }))).toEqual({
      "default/default/c": { a: "a", b: "b" },
    })
  })

  it("B15: a change of more than 3000 files is planned whole, since the tree is what counts", () => {
    const files = Array.from({ length: 3500 }, (_, index) => `a/f${index}`)
    const { targets } = planCase({ name: "", rules: "maps: {'a/*': {name: c}}", files, expect: {} })

    expect(targets[0]?.keys).toHaveLength(3500)
  })

  it("B18: a key that Kubernetes refuses fails its own ConfigMap before anything is written", () => {
    const plan = planCase({
      name: "",
      rules: "maps:\n  'a/*': {name: a}\n  'b/*': {name: b}",
      files: ["a/with space", "a/fine", "b/fine"],
      expect: {},
    })

    expect(shown(plan)).toEqual({ "default/default/b": { fine: "b/fine" } })
    expect(plan.problems[0]?.message).toContain('"with space"')
  })
})
