import fc from "fast-check"
import { expect, it } from "vitest"
import { editTrie, layoutsOf, splitIntoShards } from "../bundle/shard-trie.ts"
import type { StoreFile } from "../bundle/store-file.ts"
import { compareText } from "../foundation/canonical-json.ts"
import type { Tree, TreeFile, TreeProblem } from "../foundation/tree.ts"
import { resolveLinks } from "../git/links/resolve-links.ts"
import type { Rule, RuleSet } from "../rules/rule.ts"
import type { PlanContext } from "./plan-context.ts"
import { emptyPlan, planTargets, planTree } from "./plan-targets.ts"

// A plan is made from that of another tree, and the shards of a target from those that it had: both must be what they are when
// they are made from nothing, whatever the way there was.

const part = fc.constantFrom("a", "b", "c", "x.yaml", "y.yaml", "VERSION", "a b")
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"))
const globPart = fc.oneof(part, fc.constantFrom("*", "**", "*.yaml", "{a,b}", "?", "[ab]"))
const glob = fc.array(globPart, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"))
const place = fc.record({
  cluster: fc.constantFrom("default", "b1", "unknown"),
  namespace: fc.constantFrom("", "ns", "headrace"),
})
const rule: fc.Arbitrary<Rule> = fc.record({
  glob,
  names: fc.uniqueArray(fc.constantFrom("one", "two", "three", "Four"), { minLength: 1, maxLength: 3 }),
  partitioned: fc.boolean(),
  key: fc.option(fc.constantFrom("fixed", "VERSION"), { nil: undefined, freq: 4 }),
  useFullPathAsKey: fc.boolean(),
  gzip: fc.boolean(),
  places: fc.uniqueArray(place, {
    minLength: 1,
    maxLength: 3,
    selector: (each) => `${each.cluster}/${each.namespace}`,
  }),
  allowedRepos: fc.constantFrom([], [], ["org"], ["other"]),
  deniedRepos: fc.constantFrom([], [], ["org/name"]),
  view: fc.constantFrom(true, true, false),
  line: fc.nat(9),
  column: fc.nat(9),
})
const ruleSet: fc.Arbitrary<RuleSet> = fc
  .uniqueArray(rule, { minLength: 1, maxLength: 5, selector: ({ glob: text }) => text })
  .map((rules) => ({ file: "p", rules, digest: "" }))
const context: fc.Arbitrary<PlanContext> = fc.record({
  repo: fc.constantFrom("org/name", undefined),
  defaults: fc.constant({ cluster: "b1", namespace: "ci" }),
  strict: fc.boolean(),
  reservedNamespaces: fc.constant(["headrace"]),
  clusters: fc.constant(new Map([["b1", {}]])),
})

type Entry =
  | { kind: "file"; oid: string; size: number; executable: boolean }
  | { kind: "link"; target: string }
const entry: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("file" as const),
      oid: fc.constantFrom("1", "2", "3"),
      // Three of the largest do not fit a ConfigMap, nor two of them a shard.
      size: fc.constantFrom(0, 10, 200_000, 400_000, 700_000),
      executable: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("link" as const), target: fc.oneof(path, fc.constant("../a")) }),
  },
)
const entries = fc.dictionary(path, entry, { maxKeys: 15 })
const problemPaths = fc.uniqueArray(path, { maxLength: 2 })

/** A tree as git could have it: nothing lies beneath a file or a link. */
function treeOf(given: Record<string, Entry>, broken: readonly string[]): Tree {
  const paths = Object.keys(given).sort(compareText)
  const free = paths.filter((each) => !paths.some((other) => each.startsWith(`${other}/`)))
  const files: TreeFile[] = []
  const links: { path: string; target: string }[] = []
  for (const each of free) {
    const one = given[each]
    if (one?.kind === "file") {
      const { oid, size, executable } = one
      files.push({ path: each, oid: `${oid}-${size}`, size, executable })
    }
    if (one?.kind === "link") links.push({ path: each, target: one.target })
  }
  const problems = broken
    .filter((each) => !free.includes(each))
    .map(
      (file): TreeProblem => ({
        severity: "error",
        code: "git/submodule",
        message: `${file} is a submodule`,
        file,
        beneath: true,
      }),
    )
  return resolveLinks({ files, links, problems })
}

const trees = fc.array(
  fc.tuple(entries, problemPaths).map(([given, broken]) => treeOf(given, broken)),
  { minLength: 1, maxLength: 5 },
)

it("is the same plan whichever tree it is made from, and shares what stays", () => {
  fc.assert(
    fc.property(ruleSet, context, trees, (rules, around, steps) => {
      let warm = emptyPlan(rules, around)
      for (const tree of steps) {
        warm = planTree(warm, tree)
        expect(warm.plan).toEqual(planTargets(rules, tree, around))
      }
      const again = planTree(warm, structuredClone(warm.tree)).plan
      for (const [index, planned] of again.targets.entries()) expect(planned).toBe(warm.plan.targets[index])
    }),
    { numRuns: 300 },
  )
})

it("gives a target's files the same shards whatever it held before", () => {
  const filesOf = ({ files }: Tree) =>
    files.map(
      ({ path: at, oid, size, executable }): StoreFile => ({
        key: at.replaceAll("/", "-"),
        path: at,
        oid,
        size,
        executable,
        gzip: false,
      }),
    )
  fc.assert(
    fc.property(trees, (steps) => {
      let trie = editTrie(undefined, [], [])
      let held: StoreFile[] = []
      for (const tree of steps) {
        const files = filesOf(tree)
        trie = editTrie(trie, held, files)
        held = files
        expect(layoutsOf(trie)).toEqual(splitIntoShards(files))
      }
      const [first] = held
      if (first === undefined) return
      const without = held.filter((file) => file !== first)
      expect(layoutsOf(editTrie(trie, [first], []))).toEqual(splitIntoShards(without))
    }),
    { numRuns: 200 },
  )
})
