import { describe, expect, it } from "vitest"
import { type ChangeCase, codesOf, planCase, touchedCase } from "./plan-case.ts"

const JOBS = "maps: {'jobs/**/*.yaml': {name: jobs}}"
const PATHS = "maps: {'jobs/**/*.yaml': {name: jobs, use_full_path_as_key: true}}"
const TWO = "maps:\n  'a/*': {name: from}\n  'b/*': {name: to}"
const PARTS = "maps: {'j/*': {partitioned_names: [p0, p1, p2]}}"

const CHANGES: ChangeCase[] = [
  {
    name: "an edited file touches its key alone",
    rules: JOBS,
    files: ["jobs/a.yaml", "jobs/b.yaml"],
    changes: [{ filename: "jobs/a.yaml", status: "modified" }],
    expect: { "default/default/jobs": { "a.yaml": "jobs/a.yaml" } },
  },
  {
    name: "files that no rule names touch nothing",
    rules: JOBS,
    files: ["jobs/a.yaml", "README.md"],
    changes: [{ filename: "README.md", status: "modified" }],
    expect: {},
  },
  {
    name: "two edited files of one ConfigMap",
    rules: JOBS,
    files: ["jobs/bar.yaml", "jobs/foo.yaml"],
    changes: [
      { filename: "jobs/foo.yaml", status: "modified" },
      { filename: "jobs/bar.yaml", status: "changed" },
    ],
    expect: { "default/default/jobs": { "bar.yaml": "jobs/bar.yaml", "foo.yaml": "jobs/foo.yaml" } },
  },
  {
    name: "added, deleted and edited files under one glob",
    rules: JOBS,
    files: ["jobs/new.yaml", "jobs/old.yaml"],
    changes: [
      { filename: "jobs/new.yaml", status: "added" },
      { filename: "jobs/gone.yaml", status: "removed" },
      { filename: "jobs/old.yaml", status: "modified" },
    ],
    expect: {
      "default/default/jobs": { "gone.yaml": null, "new.yaml": "jobs/new.yaml", "old.yaml": "jobs/old.yaml" },
    },
  },
  {
    name: "a removed file removes its key at every place",
    rules: "maps: {a: {name: c, clusters: {b1: [one, two], b2: [one]}}}".replaceAll("one", "uno"),
    files: [],
    changes: [{ filename: "a", status: "removed" }],
    expect: { "b1/two/c": { a: null }, "b1/uno/c": { a: null }, "b2/uno/c": { a: null } },
  },
  {
    name: "a rename removes the old key and gives the new one",
    rules: JOBS,
    files: ["jobs/new.yaml"],
    changes: [{ filename: "jobs/new.yaml", previous_filename: "jobs/old.yaml", status: "renamed" }],
    expect: { "default/default/jobs": { "new.yaml": "jobs/new.yaml", "old.yaml": null } },
  },
  {
    name: "a move that keeps the base name keeps the key",
    rules: JOBS,
    files: ["jobs/deep/a.yaml"],
    changes: [{ filename: "jobs/deep/a.yaml", previous_filename: "jobs/a.yaml", status: "renamed" }],
    expect: { "default/default/jobs": { "a.yaml": "jobs/deep/a.yaml" } },
  },
  {
    name: "with full paths as keys a move is a removal and an addition",
    rules: PATHS,
    files: ["jobs/deep/a.yaml"],
    changes: [{ filename: "jobs/deep/a.yaml", previous_filename: "jobs/a.yaml", status: "renamed" }],
    expect: { "default/default/jobs": { "jobs-a.yaml": null, "jobs-deep-a.yaml": "jobs/deep/a.yaml" } },
  },
  {
    name: "a rename from one rule's ConfigMap to another's",
    rules: TWO,
    files: ["b/x"],
    changes: [{ filename: "b/x", previous_filename: "a/x", status: "renamed" }],
    expect: { "default/default/from": { x: null }, "default/default/to": { x: "b/x" } },
  },
  {
    name: "a rename out of all rules removes the key",
    rules: TWO,
    files: ["c/x"],
    changes: [{ filename: "c/x", previous_filename: "a/x", status: "renamed" }],
    expect: { "default/default/from": { x: null } },
  },
  {
    name: "a rename into a rule adds the key",
    rules: TWO,
    files: ["a/x"],
    changes: [{ filename: "a/x", previous_filename: "c/x", status: "renamed" }],
    expect: { "default/default/from": { x: "a/x" } },
  },
  {
    name: "a rename of a file with a fixed key out of its rule removes that key",
    rules: "maps: {prow/_config.yaml: {name: config, key: config.yaml}}",
    files: ["prow/other.yaml"],
    changes: [{ filename: "prow/other.yaml", previous_filename: "prow/_config.yaml", status: "renamed" }],
    expect: { "default/default/config": { "config.yaml": null } },
  },
  {
    name: "a chain of renames loses nothing (c to a, a to b)",
    rules: JOBS,
    files: ["jobs/a.yaml", "jobs/b.yaml"],
    changes: [
      { filename: "jobs/a.yaml", previous_filename: "jobs/c.yaml", status: "renamed" },
      { filename: "jobs/b.yaml", previous_filename: "jobs/a.yaml", status: "renamed" },
    ],
    expect: {
      "default/default/jobs": { "a.yaml": "jobs/a.yaml", "b.yaml": "jobs/b.yaml", "c.yaml": null },
    },
  },
  {
    name: "two files swap their names",
    rules: JOBS,
    files: ["jobs/a.yaml", "jobs/b.yaml"],
    changes: [
      { filename: "jobs/a.yaml", previous_filename: "jobs/b.yaml", status: "renamed" },
      { filename: "jobs/b.yaml", previous_filename: "jobs/a.yaml", status: "renamed" },
    ],
    expect: { "default/default/jobs": { "a.yaml": "jobs/a.yaml", "b.yaml": "jobs/b.yaml" } },
  },
  {
    name: "a file added in one folder as its namesake leaves another: the key stays",
    rules: JOBS,
    files: ["jobs/dir1/foo.yaml"],
    changes: [
      { filename: "jobs/dir1/foo.yaml", status: "added" },
      { filename: "jobs/dir2/foo.yaml", status: "removed" },
    ],
    expect: { "default/default/jobs": { "foo.yaml": "jobs/dir1/foo.yaml" } },
  },
  {
    name: "a removed file whose namesake is still there leaves the key to it",
    rules: JOBS,
    files: ["jobs/dir1/foo.yaml"],
    changes: [{ filename: "jobs/dir2/foo.yaml", status: "removed" }],
    expect: { "default/default/jobs": { "foo.yaml": "jobs/dir1/foo.yaml" } },
  },
  {
    name: "an edited file that its namesake outdoes touches the key, which stays as it was",
    rules: JOBS,
    files: ["jobs/dir1/foo.yaml", "jobs/dir2/foo.yaml"],
    changes: [{ filename: "jobs/dir1/foo.yaml", status: "modified" }],
    expect: { "default/default/jobs": { "foo.yaml": "jobs/dir2/foo.yaml" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "a rename moves a key from one partition to another",
    rules: PARTS,
    files: ["j/d"],
    changes: [{ filename: "j/d", previous_filename: "j/b", status: "renamed" }],
    expect: { "default/default/p0": { d: "j/d" }, "default/default/p2": { b: null } },
  },
  {
    name: "an edit touches its partition alone",
    rules: PARTS,
    files: ["j/a", "j/b"],
    changes: [{ filename: "j/a", status: "modified" }],
    expect: { "default/default/p1": { a: "j/a" } },
  },
  {
    name: "a copy touches the copy, not what it was made from",
    rules: JOBS,
    files: ["jobs/a.yaml", "jobs/b.yaml"],
    changes: [{ filename: "jobs/b.yaml", previous_filename: "jobs/a.yaml", status: "copied" }],
    expect: { "default/default/jobs": { "b.yaml": "jobs/b.yaml" } },
  },
  {
    name: "an unchanged file touches nothing",
    rules: JOBS,
    files: ["jobs/a.yaml"],
    changes: [{ filename: "jobs/a.yaml", status: "unchanged" }],
    expect: {},
  },
  {
    name: "what the tree holds counts, not what the change claims",
    rules: JOBS,
    files: ["jobs/b.yaml"],
    changes: [
      { filename: "jobs/a.yaml", status: "added" },
      { filename: "jobs/b.yaml", status: "removed" },
    ],
    expect: { "default/default/jobs": { "a.yaml": null, "b.yaml": "jobs/b.yaml" } },
  },
  {
    name: "a removed file belongs to the rule that would have had it: the first",
    rules: "maps:\n  'a/*': {name: first}\n  'a/x*': {name: second}",
    files: [],
    changes: [{ filename: "a/x1", status: "removed" }],
    expect: { "default/default/first": { x1: null } },
  },
  {
    name: "a removed file whose key was never legal needs no removal",
    rules: JOBS,
    files: [],
    changes: [{ filename: "jobs/with space.yaml", status: "removed" }],
    expect: { "default/default/jobs": {} },
  },
  {
    name: "a compressed key shows as such",
    rules: "gzip: true\nmaps: {a: {name: c}}",
    files: ["a"],
    changes: [{ filename: "a", status: "added" }],
    expect: { "default/default/c": { a: "a (gzip)" } },
  },
  {
    name: "a rule that this repository may not feed is not touched",
    rules: "maps: {a: {name: c, denied_repos: [org]}}",
    files: ["a"],
    context: { repo: "org/name" },
    changes: [{ filename: "a", status: "modified" }],
    expect: {},
  },
  {
    name: "a target that cannot be planned is left out, and said so",
    rules: JOBS,
    files: ["jobs/bad name.yaml", "jobs/a.yaml"],
    changes: [{ filename: "jobs/a.yaml", status: "modified" }],
    expect: {},
    problems: ["plan/illegal-key"],
  },
]

describe("what a change touches", () => {
  it.each(CHANGES)("$name", (given) => {
    expect(touchedCase(given)).toEqual(given.expect)
    expect(codesOf(planCase(given).problems)).toEqual(given.problems ?? [])
  })
})
