import { constructFromEvents, parseEvents, type Schema, YAMLException } from "js-yaml"
import { HeadraceError } from "./errors.ts"
import { buildYamlNodes, type YamlEntry, type YamlNode } from "./located-yaml-node.ts"

/** A position; both count from 1. */
export interface Position {
  line: number
  column: number
}

export type YamlPath = readonly PropertyKey[]

/** A YAML document with the place of every value in it. */
export interface LocatedYaml {
  value: unknown
  file: string
  /** Undefined for an empty document. */
  root: YamlNode | undefined
  /** Of the value at a path, or of its nearest parent that is there. */
  positionOf(path: YamlPath): Position
  /** Of the key that names the value at a path. */
  keyPositionOf(path: YamlPath): Position
  positionAt(offset: number): Position
}

/** A merge key may bring in this many keys in all: far beyond any configuration, far below a bomb. */
const MERGED_KEYS_LIMIT = 100_000
const DEPTH_LIMIT = 64

/**
 * Parses one YAML document with js-yaml's events, which carry offsets, so that a complaint about a value
 * can say file, line and column without a second parser.
 *
 * A duplicate key keeps the last value, as Go's YAML does; callers that mind find both in `root`. Throws a
 * HeadraceError `yaml/syntax` with `file`, `line`, `column` among its fields.
 */
export function parseLocatedYaml(text: string, file: string, schema: Schema): LocatedYaml {
  const [first, ...more] = parseLocatedDocuments(text, file, schema, { lastOfEqualKeys: true })
  if (more.length > 0) throw severalDocuments(file)
  return first ?? located({ value: undefined, root: undefined }, file, [0])
}

/**
 * Parses every document of a YAML text; none for a text without content. A duplicate key is an error, as YAML 1.2 has
 * it, unless `lastOfEqualKeys` is set. Throws `yaml/syntax` as {@link parseLocatedYaml} does.
 */
export function parseLocatedDocuments(
  text: string,
  file: string,
  schema: Schema,
  { lastOfEqualKeys = false }: { lastOfEqualKeys?: boolean } = {},
): LocatedYaml[] {
  const lineStarts = findLineStarts(text)
  return parse(text, file, schema, lastOfEqualKeys).map((document) => located(document, file, lineStarts))
}

interface Document {
  value: unknown
  root: YamlNode | undefined
}

function located({ value, root }: Document, file: string, lineStarts: readonly number[]): LocatedYaml {
  const positionAt = (offset: number) => positionIn(lineStarts, offset)
  const start: YamlEntry = { key: "", offset: root?.offset ?? 0, value: root ?? EMPTY }
  return {
    value,
    file,
    root,
    positionAt,
    positionOf: (path) => positionAt(offsetOf(findEntry(start, path))),
    keyPositionOf: (path) => positionAt(findEntry(start, path).offset),
  }
}

/** Of the value; nothing, as in `source:`, has no place of its own. */
function offsetOf({ offset, value }: YamlEntry): number {
  return value.offset < 0 ? offset : value.offset
}

const EMPTY: YamlNode = { kind: "scalar", offset: 0, entries: [], items: [] }

function parse(text: string, file: string, schema: Schema, json: boolean): Document[] {
  try {
    const events = parseEvents(text, { filename: file, maxDepth: DEPTH_LIMIT })
    const values = constructFromEvents(events, {
      source: text,
      filename: file,
      schema,
      json,
      maxTotalMergeKeys: MERGED_KEYS_LIMIT,
    })
    return buildYamlNodes(text, events).map((root, index) => ({ value: values[index], root }))
  } catch (error) {
    throw syntaxError(error, file)
  }
}

function severalDocuments(file: string): HeadraceError {
  return new HeadraceError("yaml/syntax", "there are several documents in the file", {
    hint: 'Keep one and remove the "---" between them.',
    fields: { file, line: 1, column: 1 },
  })
}

function syntaxError(error: unknown, file: string): unknown {
  if (!(error instanceof YAMLException)) return error
  const line = (error.mark?.line ?? 0) + 1
  const column = (error.mark?.column ?? 0) + 1
  return new HeadraceError("yaml/syntax", `not valid YAML: ${error.reason}`, {
    fields: { file, line, column },
  })
}

/** The entry at a path: keys of a mapping (its own first, then merged ones), indexes of a sequence. */
function findEntry(start: YamlEntry, path: YamlPath): YamlEntry {
  let entry = start
  for (const part of path) {
    const next = stepInto(entry.value, part)
    if (!next) return entry
    entry = next
  }
  return entry
}

function stepInto(node: YamlNode, part: PropertyKey): YamlEntry | undefined {
  if (node.kind === "sequence") {
    const item = typeof part === "number" ? node.items[part] : undefined
    return item && { key: String(part), offset: item.offset, value: item }
  }
  const own = node.entries.findLast((entry) => entry.key === String(part))
  if (own) return own
  for (const merged of mergedNodes(node)) {
    const found = stepInto(merged, part)
    if (found) return found
  }
  return undefined
}

/** Mappings that a mapping takes in by `<<`, in order of precedence. */
function mergedNodes(node: YamlNode): YamlNode[] {
  return node.entries.filter((entry) => entry.key === "<<").flatMap(mergedMappings)
}

function mergedMappings(entry: YamlEntry): YamlNode[] {
  const given = entry.value.kind === "sequence" ? entry.value.items : [entry.value]
  return given.filter((merged) => merged.kind === "mapping")
}

/** Keys of a mapping in written order, each once; those of a merge key come at its place. */
export function mappingKeys(node: YamlNode, open: ReadonlySet<YamlNode> = new Set()): YamlEntry[] {
  if (open.has(node)) return []
  const inside = new Set([...open, node])
  const own = new Set(node.entries.map((entry) => entry.key))
  const keys = new Map<string, YamlEntry>()
  for (const entry of node.entries) {
    if (entry.key !== "<<") {
      if (!keys.has(entry.key)) keys.set(entry.key, entry)
      continue
    }
    const merged = mergedMappings(entry).flatMap((mapping) => mappingKeys(mapping, inside))
    for (const key of merged) if (!own.has(key.key) && !keys.has(key.key)) keys.set(key.key, key)
  }
  return [...keys.values()]
}

function findLineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return starts
}

function positionIn(lineStarts: readonly number[], offset: number): Position {
  let low = 0
  let high = lineStarts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((lineStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 }
}
