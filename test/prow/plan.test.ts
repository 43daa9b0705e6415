import { describe, expect, it } from "vitest"
import { codesOf, type PlanCase, planCase, shown } from "./plan-case.ts"

const MIB = 1024 * 1024

const KEYS: PlanCase[] = [
  {
    name: "one file becomes one key named after it",
    rules: "maps: {prow/config.yaml: {name: config}}",
    files: ["prow/config.yaml", "README.md"],
    expect: { "default/default/config": { "config.yaml": "prow/config.yaml" } },
  },
  {
    name: "a fixed key replaces the base name",
    rules: "maps: {prow/_config.yaml: {name: config, key: config.yaml}}",
    files: ["prow/_config.yaml"],
    expect: { "default/default/config": { "config.yaml": "prow/_config.yaml" } },
  },
  {
    name: "the full path is a key with dashes for slashes",
    rules: "maps: {'jobs/**/*.yaml': {name: jobs, use_full_path_as_key: true}}",
    files: ["jobs/a/x.yaml", "jobs/b/x.yaml"],
    expect: {
      "default/default/jobs": { "jobs-a-x.yaml": "jobs/a/x.yaml", "jobs-b-x.yaml": "jobs/b/x.yaml" },
    },
  },
  {
    name: "a fixed key goes before the full path",
    rules: "maps: {a/b.yaml: {name: c, key: k, use_full_path_as_key: true}}",
    files: ["a/b.yaml"],
    expect: { "default/default/c": { k: "a/b.yaml" } },
  },
  {
    name: "an empty key counts as none, as in Go",
    rules: "maps: {a/b.yaml: {name: c, key: ''}}",
    files: ["a/b.yaml"],
    expect: { "default/default/c": { "b.yaml": "a/b.yaml" } },
  },
  {
    name: "files with either ending go to one ConfigMap",
    rules: "maps: {'jobs/**/*.{yaml,yml}': {name: jobs}}",
    files: ["jobs/a.yaml", "jobs/x/b.yml", "jobs/c.json"],
    expect: { "default/default/jobs": { "a.yaml": "jobs/a.yaml", "b.yml": "jobs/x/b.yml" } },
  },
  {
    name: "two rules fill one ConfigMap together",
    rules: "maps:\n  a.yaml: {name: both}\n  b.yaml: {name: both, key: second}",
    files: ["a.yaml", "b.yaml"],
    expect: { "default/default/both": { "a.yaml": "a.yaml", second: "b.yaml" } },
  },
  {
    name: "one base name twice: the last in path order is written, with a warning",
    rules: "maps: {'**/*.yaml': {name: jobs}}",
    files: ["a/x.yaml", "b/x.yaml"],
    expect: { "default/default/jobs": { "x.yaml": "b/x.yaml" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "one base name twice when strict: nothing of that ConfigMap, an error, the others carry on",
    rules: "maps:\n  'jobs/**': {name: jobs}\n  'other/*': {name: other}",
    files: ["jobs/a/x.yaml", "jobs/b/x.yaml", "other/y.yaml"],
    context: { strict: true },
    expect: { "default/default/other": { "y.yaml": "other/y.yaml" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "full paths can meet as well (a-b/c and a/b-c)",
    rules: "maps: {'**': {name: all, use_full_path_as_key: true}}",
    files: ["a-b/c", "a/b-c"],
    expect: { "default/default/all": { "a-b-c": "a/b-c" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "a fixed key on a wide glob: the last file is written",
    rules: "maps: {'jobs/*': {name: jobs, key: one}}",
    files: ["jobs/a", "jobs/b", "jobs/c"],
    expect: { "default/default/jobs": { one: "jobs/c" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "two rules may meet in one key",
    rules: "maps:\n  b/config.yaml: {name: c}\n  a/_config.yaml: {name: c, key: config.yaml}",
    files: ["b/config.yaml", "a/_config.yaml"],
    expect: { "default/default/c": { "config.yaml": "b/config.yaml" } },
    problems: ["plan/key-collision"],
  },
  {
    name: "the same key in two namespaces is two ConfigMaps",
    rules:
      "maps:\n  a/x: {name: c, clusters: {default: [one]}}\n  b/x: {name: c, clusters: {default: [two]}}",
    files: ["a/x", "b/x"],
    expect: { "default/one/c": { x: "a/x" }, "default/two/c": { x: "b/x" } },
  },
  {
    name: "the same key in two clusters is two ConfigMaps",
    rules: "maps:\n  a/x: {name: c, clusters: {one: [ns]}}\n  b/x: {name: c, clusters: {two: [ns]}}",
    files: ["a/x", "b/x"],
    expect: { "one/ns/c": { x: "a/x" }, "two/ns/c": { x: "b/x" } },
  },
  {
    name: "a key in the default namespace by either name is one key",
    rules: "maps:\n  a/x: {name: c}\n  b/x: {name: c, clusters: {default: [default]}}",
    files: ["a/x", "b/x"],
    expect: { "default/default/c": { x: "b/x" } },
    problems: ["plan/key-collision"],
  },
]

const LEGALITY: PlanCase[] = [
  ...["with space.yaml", "a@b", "c++", "ü.yaml"].map((file) => ({
    name: `Kubernetes refuses the key ${file}, and only its ConfigMap fails`,
    rules: "maps:\n  'a/*': {name: a}\n  'b/*': {name: b}",
    files: [`a/${file}`, "a/fine", "b/fine"],
    expect: { "default/default/b": { fine: "b/fine" } },
    problems: ["plan/illegal-key"],
  })),
  {
    name: "a key that begins with two dots is refused",
    rules: "maps: {'a/*': {name: a}}",
    files: ["a/..hidden"],
    expect: {},
    problems: ["plan/illegal-key"],
  },
  {
    name: "a key that begins with one dot is fine",
    rules: "maps: {'a/*': {name: a}}",
    files: ["a/.gitignore"],
    expect: { "default/default/a": { ".gitignore": "a/.gitignore" } },
  },
  {
    name: "a key of 253 bytes is the longest",
    rules: "maps:\n  'a/*': {name: a}\n  'b/*': {name: b}",
    files: [`a/${"k".repeat(253)}`, `b/${"k".repeat(254)}`],
    expect: { "default/default/a": { ["k".repeat(253)]: `a/${"k".repeat(253)}` } },
    problems: ["plan/illegal-key"],
  },
  {
    name: "a fixed key is held to the same law",
    rules: "maps: {a: {name: a, key: 'no/slash'}}",
    files: ["a"],
    expect: {},
    problems: ["plan/illegal-key"],
  },
  {
    name: "a name that Kubernetes refuses fails its ConfigMap alone",
    rules: "maps:\n  a: {name: Upper_Case}\n  b: {name: fine.name-1}",
    files: ["a", "b"],
    expect: { "default/default/fine.name-1": { b: "b" } },
    problems: ["plan/illegal-name"],
  },
  {
    name: "a namespace that Kubernetes refuses fails its ConfigMap alone",
    rules: "maps: {a: {name: a, clusters: {default: [with.dot, fine]}}}",
    files: ["a"],
    expect: { "default/fine/a": { a: "a" } },
    problems: ["plan/illegal-name"],
  },
  {
    name: "a file that would be VERSION is not written: the commit id is there",
    rules: "maps: {'*': {name: root}}",
    files: ["VERSION", "x"],
    expect: { "default/default/root": { x: "x" } },
    problems: ["plan/reserved-key"],
  },
  {
    name: "VERSION is a file like any other in the store alone",
    rules: "maps: {'*': {name: root, view: false}}",
    files: ["VERSION"],
    expect: { "default/default/root": { VERSION: "VERSION" } },
  },
  {
    name: "1 MiB less the commit id fits",
    rules: "maps: {'*': {name: c}}",
    files: { a: MIB / 2, b: MIB / 2 - 40 },
    expect: { "default/default/c": { a: "a", b: "b" } },
  },
  {
    name: "one byte more does not, and the others carry on",
    rules: "maps:\n  'c/*': {name: c}\n  d: {name: d}",
    files: { "c/a": MIB / 2, "c/b": MIB / 2 - 39, d: 1 },
    expect: { "default/default/d": { d: "d" } },
    problems: ["plan/too-large"],
  },
  {
    name: "what is compressed is measured when it is written, not by its file",
    rules: "maps: {'*': {name: c, gzip: true}}",
    files: { a: 3 * MIB },
    expect: { "default/default/c": { a: "a (gzip)" } },
  },
  {
    name: "what is not compressed counts beside what is",
    rules: "gzip: true\nmaps:\n  a: {name: c}\n  b: {name: c, gzip: false}",
    files: { a: 3 * MIB, b: MIB },
    expect: {},
    problems: ["plan/too-large"],
  },
  {
    name: "a target of the store alone may have any size",
    rules: "maps: {'*': {name: c, view: false}}",
    files: { a: 50 * MIB },
    expect: { "default/default/c": { a: "a" } },
  },
  {
    name: "rules that disagree on the view of one ConfigMap fail it",
    rules: "maps:\n  a: {name: c, view: false}\n  b: {name: c}",
    files: ["a", "b"],
    expect: {},
    problems: ["plan/divided-view"],
  },
]

describe.each([
  ["keys", KEYS],
  ["what Kubernetes refuses", LEGALITY],
] as const)("%s", (_topic, cases) => {
  it.each(cases)("$name", (given) => {
    const plan = planCase(given)

    expect(shown(plan)).toEqual(given.expect)
    expect(codesOf(plan.problems)).toEqual(given.problems ?? [])
  })
})
