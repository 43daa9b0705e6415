import { badRequest } from "./api-failure.ts"
import type { KubeObject } from "./kube-object.ts"

export type Matcher = (object: KubeObject) => boolean

const EQUALITY = /^([^\s=!,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)$/
const SET = /^([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)$/
const EXISTS = /^(!?)\s*([^\s=!,()]+)$/
const FIELDS = ["metadata.name", "metadata.namespace"]

/** Label selector text to a test: `a=b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`, joined by commas. */
export function labelMatcher(text: string | null | undefined): Matcher {
  const requirements = splitOutsideBrackets(text ?? "").map(labelRequirement)
  return (object) => {
    const labels = object.metadata.labels ?? {}
    return requirements.every((holds) => holds(labels))
  }
}

/** Field selector text to a test; ConfigMaps and Leases know `metadata.name` and `metadata.namespace`. */
export function fieldMatcher(text: string | null | undefined): Matcher {
  const requirements = (text ?? "").split(",").filter(Boolean).map(fieldRequirement)
  return (object) => requirements.every((holds) => holds(object))
}

function labelRequirement(text: string): (labels: Record<string, string>) => boolean {
  const equality = EQUALITY.exec(text)
  if (equality) {
    const [, key = "", operator, value = ""] = equality
    return (labels) => (operator === "!=") !== (Object.hasOwn(labels, key) && labels[key] === value)
  }
  const set = SET.exec(text)
  if (set) {
    const [, key = "", operator, list = ""] = set
    const values = list.split(",").map((value) => value.trim())
    return (labels) =>
      (operator === "notin") !== (Object.hasOwn(labels, key) && values.includes(labels[key] ?? ""))
  }
  const exists = EXISTS.exec(text)
  if (!exists) throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`)
  const [, not, key = ""] = exists
  return (labels) => (not === "!") !== Object.hasOwn(labels, key)
}

function fieldRequirement(text: string): Matcher {
  const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(text)
  if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`)
  const [, field = "", operator, value] = match
  if (!FIELDS.includes(field)) {
    const known = FIELDS.map((name) => `"${name}"`).join(", ")
    throw badRequest(`"${field}" is not a known field selector: only ${known}`)
  }
  const member = field.slice("metadata.".length)
  return (object) => (operator === "!=") !== (object.metadata[member] === value)
}

function splitOutsideBrackets(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean)
}
