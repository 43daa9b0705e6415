import { compareText } from "@headrace/shared/foundation/canonical-json"
import { compileGlob } from "@headrace/shared/foundation/compile-glob"
import { targetText } from "@headrace/shared/foundation/target"
import type { Tree } from "@headrace/shared/foundation/tree"
import { illegalKey } from "@headrace/shared/plan/legal-name"
import type { Plan } from "@headrace/shared/plan/plan"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { partitionOf } from "@headrace/shared/plan/target-key"
import { touchedKeys } from "@headrace/shared/plan/touched-keys"
import type { Rule, RuleSet } from "@headrace/shared/rules/rule"
import { indexRules } from "@headrace/shared/rules/rule-index"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

const CONTEXT = { defaults: { cluster: "default", namespace: "default" }, repo: "org/name" }

const part = fc.constantFrom("a", "b", "c", "ab", ".x", "a b", "x.yaml", "y.yaml")
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))
const globPart = fc.oneof(
  part,
  fc.constantFrom("*", "**", "*.yaml", "a*", "{a,b}", "?", "[ab]", "x.{yaml,yml}"),
)
const glob = fc.array(globPart, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))

const rule: fc.Arbitrary<Rule> = fc.record({
  glob,
  names: fc.uniqueArray(fc.constantFrom("one", "two", "three"), { minLength: 1, maxLength: 3 }),
  partitioned: fc.boolean(),
  key: fc.option(fc.constantFrom("fixed", "x.yaml"), { nil: undefined, freq: 4 }),
  useFullPathAsKey: fc.boolean(),
  gzip: fc.boolean(),
  places: fc.uniqueArray(
    fc.record({ cluster: fc.constantFrom("default", "b1"), namespace: fc.constantFrom("", "default", "ns") }),
    { minLength: 1, maxLength: 3, selector: (place) => `${place.cluster}/${place.namespace}` },
  ),
  allowedRepos: fc.constantFrom([], ["org"], ["other"]),
  deniedRepos: fc.constantFrom([], [], ["org/name"]),
  view: fc.constant(true),
  line: fc.constant(1),
  column: fc.constant(1),
})
const ruleSet: fc.Arbitrary<RuleSet> = fc
  .uniqueArray(rule, { maxLength: 6, selector: ({ glob: text }) => text })
  .map((rules) => ({ file: "p", rules, digest: "" }))
const contents = fc.dictionary(path, fc.constantFrom("1", "2", "3"), { maxKeys: 15 })

function treeOf(files: Readonly<Record<string, string>>): Tree {
  const paths = Object.keys(files).sort(compareText)
  return {
    files: paths.map((each) => ({ path: each, oid: files[each] ?? "", size: 10, executable: false })),
    problems: [],
  }
}

/** `target key` to the content that is there. */
function keyContents(plan: Plan): Map<string, string> {
  return new Map(
    plan.targets.flatMap(({ target, keys }) =>
      keys.map(({ key, file, gzip }) => [`${targetText(target)} ${key}`, `${file.oid} ${gzip}`] as const),
    ),
  )
}

describe("a plan", () => {
  it("is a function of rules and tree alone: the order of the files does not matter", () => {
    fc.assert(
      fc.property(ruleSet, contents, fc.infiniteStream(fc.nat()), (rules, files, numbers) => {
        const tree = treeOf(files)
        const shuffled = [...tree.files]
          .map((file) => ({ file, at: numbers.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ file }) => file)

        expect(planTargets(rules, { files: shuffled, problems: [] }, CONTEXT)).toEqual(
          planTargets(rules, tree, CONTEXT),
        )
      }),
      { numRuns: 3000 },
    )
  })

  it("has legal keys only, each once and in order", () => {
    fc.assert(
      fc.property(ruleSet, contents, (rules, files) => {
        for (const { keys } of planTargets(rules, treeOf(files), CONTEXT).targets) {
          const names = keys.map(({ key }) => key)
          expect(names).toEqual([...new Set(names)].sort(compareText))
          expect(names.map(illegalKey)).toEqual(names.map(() => undefined))
        }
      }),
    )
  })

  it("gives every file to the first rule that matches it, as plain minimatch over all rules says", () => {
    fc.assert(
      fc.property(ruleSet, fc.array(path, { maxLength: 20 }), (rules, paths) => {
        const index = indexRules(rules.rules)
        const compiled = rules.rules.map((each) => ({ rule: each, glob: compileGlob(each.glob) }))
        for (const each of paths) {
          const matching = compiled.filter(({ glob: one }) => one.match(each)).map((one) => one.rule.glob)
          expect(index.all(each).map((one) => one.glob)).toEqual(matching)
          expect(index.first(each)?.glob).toBe(matching[0])
        }
      }),
      { numRuns: 300 },
    )
  })

  it("plans no file by a rule that does not match it, or that the repository may not feed", () => {
    fc.assert(
      fc.property(ruleSet, contents, (rules, files) => {
        const open = rules.rules.filter(
          (each) => !each.allowedRepos.includes("other") && !each.deniedRepos.includes("org/name"),
        )
        for (const { target, keys } of planTargets(rules, treeOf(files), CONTEXT).targets) {
          for (const { file } of keys) {
            const giver = open.find((each) => compileGlob(each.glob).match(file.path))
            expect(giver?.names).toContain(target.name)
          }
        }
      }),
    )
  })

  it("changes in no more keys than the change of files touches, and those hold what the new plan says", () => {
    fc.assert(
      fc.property(ruleSet, contents, contents, (rules, before, after) => {
        const old = planTargets(rules, treeOf(before), CONTEXT)
        const plan = planTargets(rules, treeOf(after), CONTEXT)
        // A target that becomes impossible, or possible again, changes as a whole: that is not a matter of keys.
        const both = new Set(plan.targets.map(({ target }) => targetText(target)))
        const stable = old.targets.map(({ target }) => targetText(target)).filter((text) => both.has(text))
        const changed = Object.keys({ ...before, ...after }).filter((each) => before[each] !== after[each])

        const touched = touchedKeys(rules, plan, changed, CONTEXT)

        const updated = keyContents(old)
        for (const { target, keys } of touched) {
          for (const [key, planned] of keys) {
            const place = `${targetText(target)} ${key}`
            if (planned) updated.set(place, `${planned.file.oid} ${planned.gzip}`)
            else updated.delete(place)
          }
        }
        for (const text of stable) {
          const of = (all: Map<string, string>) =>
            [...all].filter(([place]) => place.startsWith(`${text} `)).sort(([a], [b]) => compareText(a, b))
          expect(of(updated)).toEqual(of(keyContents(plan)))
        }
      }),
      { numRuns: 500 },
    )
  })

  it("chooses a key's partition from the key and the number of partitions alone", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 256 }), (key, count) => {
        const chosen = partitionOf(key, count)
        expect(chosen).toBe(partitionOf(key, count))
        expect(chosen).toBeGreaterThanOrEqual(0)
        expect(chosen).toBeLessThan(count)
      }),
    )
    expect(["a", "b", "c", "d"].map((key) => partitionOf(key, 256))).toEqual([0xca, 0x3e, 0x2e, 0x18])
  })
})
