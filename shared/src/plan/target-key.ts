import { hash } from "node:crypto"
import type { Rule } from "../rules/rule.ts"

/** The key that a rule writes a file to: the fixed one, the path with `/` as `-`, or the base name. */
export function keyOf(rule: Pick<Rule, "key" | "useFullPathAsKey">, path: string): string {
  if (rule.key !== undefined) return rule.key
  if (rule.useFullPathAsKey) return path.replaceAll("/", "-")
  return path.slice(path.lastIndexOf("/") + 1)
}

/** Which of `count` partitions a key belongs to: Prow's own choice, the first byte of its SHA-256, modulo. */
export function partitionOf(key: string, count: number): number {
  if (count <= 1) return 0
  const [first = 0] = hash("sha256", key, "buffer")
  return first % count
}

/** The name of the ConfigMap that a key goes to under a rule. */
export function nameOf(rule: Pick<Rule, "names">, key: string): string {
  return rule.names[partitionOf(key, rule.names.length)] ?? ""
}
