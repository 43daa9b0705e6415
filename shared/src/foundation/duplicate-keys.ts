import type { LocatedYaml } from "./located-yaml.ts"
import type { YamlNode } from "./located-yaml-node.ts"
import type { Problem } from "./problem.ts"

/**
 * Keys that stand twice in one mapping, beneath and in `node`: YAML forbids them, Go's parser keeps the last
 * without a word. `area` starts the problems' code. Each shared node is looked at once.
 */
export function duplicateKeys(area: string, yaml: LocatedYaml, node: YamlNode): Problem[] {
  const problems: Problem[] = []
  const seenNodes = new Set<YamlNode>()
  const waiting = [node]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seenNodes.has(next)) continue
    seenNodes.add(next)
    problems.push(...duplicatesOf(area, yaml, next))
    waiting.push(...next.items, ...next.entries.map((entry) => entry.value))
  }
  return problems
}

function duplicatesOf(area: string, yaml: LocatedYaml, node: YamlNode): Problem[] {
  const firsts = new Map<string, number>()
  const problems: Problem[] = []
  for (const entry of node.entries) {
    const first = firsts.get(entry.key)
    if (first === undefined) {
      firsts.set(entry.key, entry.offset)
      continue
    }
    problems.push({
      severity: "error",
      code: `${area}/duplicate-key`,
      message: `"${entry.key}" stands twice in one mapping`,
      hint: `it is first given in line ${yaml.positionAt(first).line}; remove one of them`,
      file: yaml.file,
      ...yaml.positionAt(entry.offset),
    })
  }
  return problems
}
