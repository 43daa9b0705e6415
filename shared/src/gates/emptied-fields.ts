import type { LocatedYaml, YamlPath } from "../foundation/located-yaml.ts"

/** A field that had a value and has none any more. */
export interface EmptiedField {
  /** `spec.jobs[2].name`. */
  name: string
  line: number
  column: number
}

/** In place of the fields of a file that has no value at all any more. */
export const WHOLE_FILE: EmptiedField = { name: "the whole file", line: 1, column: 1 }

/** As deep as a document may be (foundation/located-yaml.ts); an alias within its own anchor ends here too. */
const MOST_DEEP = 64
const MOST_FOUND = 1000

/**
 * Fields of a file that had a value and are there with none: null, no text, no items. What is gone altogether does not
 * count: a schema says what is required. Items of lists are the same by their `name`, otherwise by their place. Pure.
 */
export function emptiedFields(before: readonly LocatedYaml[], after: readonly LocatedYaml[]): EmptiedField[] {
  // Comments alone are no document.
  if (!after.some(hasValue) && before.some(hasValue)) return [WHOLE_FILE]
  return after.flatMap((document, index) => {
    const was = before[index]
    if (was === undefined) return []
    const paths: YamlPath[] = []
    collect(was.value, document.value, [], paths)
    return paths.map((path) => ({ name: pathText(path), ...document.positionOf(path) }))
  })
}

function hasValue({ value }: LocatedYaml): boolean {
  return !isEmpty(value)
}

function collect(before: unknown, after: unknown, path: YamlPath, found: YamlPath[]): void {
  if (before === after || path.length > MOST_DEEP || found.length >= MOST_FOUND) return
  if (isEmpty(after)) {
    if (!isEmpty(before)) found.push(path)
    return
  }
  if (Array.isArray(before) && Array.isArray(after)) collectItems(before, after, path, found)
  if (!isMapping(before) || !isMapping(after)) return
  for (const [key, value] of Object.entries(after)) {
    if (Object.hasOwn(before, key)) collect(before[key], value, [...path, key], found)
  }
}

function collectItems(
  before: readonly unknown[],
  after: readonly unknown[],
  path: YamlPath,
  found: YamlPath[],
): void {
  const byName = new Map(before.flatMap((item) => (nameOf(item) === undefined ? [] : [[nameOf(item), item]])))
  for (const [index, item] of after.entries()) {
    const name = nameOf(item)
    collect(name === undefined ? before[index] : byName.get(name), item, [...path, index], found)
  }
}

function nameOf(item: unknown): string | undefined {
  if (!isMapping(item)) return undefined
  return typeof item.name === "string" && item.name !== "" ? item.name : undefined
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (typeof value === "string") return value.trim() === ""
  return typeof value === "object" && Object.keys(value).length === 0
}

function pathText(path: YamlPath): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("")
  return text.replace(/^\./, "") || "the whole document"
}
