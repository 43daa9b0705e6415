import { describe, expect, it } from "vitest"
import { parseRules } from "./parse-rules.ts"

const BOUNDS = { rulesFile: 2 ** 20, targets: 20_000 }

/** Rules with so many partitions each, in the namespaces of one anchor. */
function rulesWith(rules: number, partitions: number, namespaces: number): string {
  const partitioned = numbered("p", partitions)
  const lines = ["config_updater:", "  maps:"]
  for (let rule = 0; rule < rules; rule++) {
    const clusters = rule === 0 ? `&all {default: [${numbered("ns", namespaces)}]}` : "*all"
    lines.push(`    f${rule}/**: {partitioned_names: [${partitioned}], clusters: ${clusters}}`)
  }
  return lines.join("\n")
}

function numbered(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(",")
}

describe("parseRules, of rules that name very many ConfigMaps", () => {
  it("counts 300 rules of 250 partitions in 100 namespaces without making them", () => {
    const text = rulesWith(300, 250, 100)
    const before = process.memoryUsage().heapUsed
    const { rules, problems } = parseRules(text, "plugins.yaml", BOUNDS)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * 2 ** 20)
    expect(rules).toBeUndefined()
    expect(problems).toMatchObject([{ code: "rules/too-many-targets", file: "plugins.yaml", line: 3 }])
    expect(problems[0]?.message).toContain('rule "f0/**" names 25000 ConfigMaps')
  })

  it("names the rule that goes beyond the bound, and not the ones before it", () => {
    const { problems } = parseRules(rulesWith(3, 100, 90), "plugins.yaml", BOUNDS)
    expect(problems[0]?.message).toContain('rule "f2/**" names 9000 ConfigMaps, 27000 with those before it')
  })

  it.each([
    ["groups of clusters and namespaces", `cluster_groups: [all, all]`],
    ["namespaces of a legacy rule", `additional_namespaces: *namespaces`],
  ])("counts %s", (_, places) => {
    const text = `config_updater:
  cluster_groups: {all: {clusters: [${numbered("c", 200)}], namespaces: &namespaces [${numbered("n", 200)}]}}
  maps: {a/**: {partitioned_names: [${numbered("p", 200)}], ${places}}}`
    expect(parseRules(text, "plugins.yaml", BOUNDS).problems).toMatchObject([
      { code: "rules/too-many-targets" },
    ])
  })

  it("lets pass what is within the bound", () => {
    const { rules, problems } = parseRules(rulesWith(2, 100, 100), "plugins.yaml", BOUNDS)
    expect(problems).toEqual([])
    expect(rules?.rules.map(({ places }) => places.length)).toEqual([100, 100])
  })

  it("refuses a file of more bytes than the bound", () => {
    const { problems } = parseRules(rulesWith(1, 1, 1), "plugins.yaml", { ...BOUNDS, rulesFile: 50 })
    expect(problems).toMatchObject([{ code: "rules/too-large" }])
  })
})
