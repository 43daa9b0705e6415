import { isAllowed } from "@headrace/shared/rules/access-list"
import { describe, expect, it } from "vitest"
import { codesOf, type PlanCase, planCase, shown } from "./plan-case.ts"

interface AccessCase {
  name: string
  allowed?: string[]
  denied?: string[]
  repo: string | undefined
  expect: boolean
}

const ACCESS: AccessCase[] = [
  { name: "no lists, any repository", repo: "org/name", expect: true },
  { name: "no lists, an unknown repository", repo: undefined, expect: true },
  { name: "allowed by organisation and name", allowed: ["org/name"], repo: "org/name", expect: true },
  {
    name: "another name of an allowed repository's organisation",
    allowed: ["org/name"],
    repo: "org/other",
    expect: false,
  },
  { name: "allowed by organisation", allowed: ["org"], repo: "org/name", expect: true },
  { name: "an organisation that begins alike", allowed: ["org"], repo: "organ/name", expect: false },
  { name: "one of several allowed", allowed: ["a", "org/name"], repo: "org/name", expect: true },
  { name: "none of several allowed", allowed: ["a", "b/c"], repo: "org/name", expect: false },
  { name: "denied by organisation and name", denied: ["org/name"], repo: "org/name", expect: false },
  { name: "another name than the denied one", denied: ["org/name"], repo: "org/other", expect: true },
  { name: "denied by organisation", denied: ["org"], repo: "org/name", expect: false },
  {
    name: "denied goes before allowed",
    allowed: ["org/name"],
    denied: ["org/name"],
    repo: "org/name",
    expect: false,
  },
  {
    name: "a denied organisation goes before an allowed repository",
    allowed: ["org/name"],
    denied: ["org"],
    repo: "org/name",
    expect: false,
  },
  {
    name: "an allowed organisation less one repository",
    allowed: ["org"],
    denied: ["org/secret"],
    repo: "org/name",
    expect: true,
  },
  { name: "an unknown repository is on no allow list", allowed: ["org"], repo: undefined, expect: false },
  { name: "an unknown repository is on no deny list", denied: ["org"], repo: undefined, expect: true },
  { name: "case matters", allowed: ["Org/Name"], repo: "org/name", expect: false },
]

describe("whether a repository may feed a rule", () => {
  it.each(ACCESS)("$name: $expect", ({ allowed = [], denied = [], repo, expect: expected }) => {
    expect(isAllowed({ allowedRepos: allowed, deniedRepos: denied }, repo)).toBe(expected)
  })
})

const PLANS: PlanCase[] = [
  {
    name: "rules of one file with lists of their own",
    rules:
      "maps:\n  a: {name: a, allowed_repos: [org/name]}\n  b: {name: b, allowed_repos: [other]}\n  c: {name: c, denied_repos: [org/name]}\n  d: {name: d}",
    files: ["a", "b", "c", "d"],
    context: { repo: "org/name" },
    expect: { "default/default/a": { a: "a" }, "default/default/d": { d: "d" } },
  },
  {
    name: "a rule that is closed to the repository claims no file: the next one that matches has it",
    rules: "maps:\n  'x/*': {name: narrow, allowed_repos: [other]}\n  'x/**': {name: wide}",
    files: ["x/a"],
    context: { repo: "org/name" },
    expect: { "default/default/wide": { a: "x/a" } },
  },
  {
    name: "a closed rule's ConfigMap is not planned at all, so another repository's content stays",
    rules: "maps: {'x/*': {partitioned_names: [p0, p1], allowed_repos: [other]}}",
    files: ["x/a"],
    context: { repo: "org/name" },
    expect: {},
  },
  {
    name: "an unknown repository leaves rules with an allow list out, and says so",
    rules: "maps:\n  a: {name: a, allowed_repos: [org]}\n  b: {name: b, denied_repos: [org]}",
    files: ["a", "b"],
    expect: { "default/default/b": { b: "b" } },
    problems: ["plan/unknown-repository"],
  },
  {
    name: "lists count where groups are used",
    rules:
      "cluster_groups: {g: {clusters: [b], namespaces: [ns]}}\nmaps: {a: {name: a, cluster_groups: [g], allowed_repos: [other]}}",
    files: ["a"],
    context: { repo: "org/name" },
    expect: {},
  },
]

describe("a plan under access lists", () => {
  it.each(PLANS)("$name", (given) => {
    const plan = planCase(given)

    expect(shown(plan)).toEqual(given.expect)
    expect(codesOf(plan.problems)).toEqual(given.problems ?? [])
  })
})
