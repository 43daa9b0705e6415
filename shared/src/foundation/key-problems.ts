import type { ErrorCode } from "./errors.ts"
import type { LocatedYaml } from "./located-yaml.ts"
import type { YamlNode } from "./located-yaml-node.ts"
import type { Problem } from "./problem.ts"

/** The codes of keys that no mapping may have. */
export interface KeyCodes {
  duplicateKey: ErrorCode
  wrongKey: ErrorCode
}

/**
 * Keys that no mapping may have, beneath and in `node`. Twice the same: YAML forbids it, Go's parser keeps the
 * last without a word. `__proto__`: zod takes such a key out of a record without a word. Each shared node is looked at once.
 */
export function keyProblems(codes: KeyCodes, yaml: LocatedYaml, node: YamlNode): Problem[] {
  const problems: Problem[] = []
  const seenNodes = new Set<YamlNode>()
  const waiting = [node]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seenNodes.has(next)) continue
    seenNodes.add(next)
    problems.push(...problemsOf(codes, yaml, next))
    waiting.push(...next.items, ...next.entries.map((entry) => entry.value))
  }
  return problems
}

function problemsOf(codes: KeyCodes, yaml: LocatedYaml, node: YamlNode): Problem[] {
  const firsts = new Map<string, number>()
  const problems: Problem[] = []
  for (const entry of node.entries) {
    if (entry.key === "__proto__") problems.push(protoKey(codes, yaml, entry.offset))
    const first = firsts.get(entry.key)
    if (first === undefined) {
      firsts.set(entry.key, entry.offset)
      continue
    }
    problems.push({
      severity: "error",
      code: codes.duplicateKey,
      message: `"${entry.key}" appears twice in one mapping`,
      hint: `Remove one of them; the first is in line ${yaml.positionAt(first).line}.`,
      file: yaml.file,
      ...yaml.positionAt(entry.offset),
    })
  }
  return problems
}

function protoKey(codes: KeyCodes, yaml: LocatedYaml, offset: number): Problem {
  return {
    severity: "error",
    code: codes.wrongKey,
    message: '"__proto__" cannot be a key',
    file: yaml.file,
    ...yaml.positionAt(offset),
  }
}
