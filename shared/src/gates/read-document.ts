import { CORE_SCHEMA, defineMappingTag, defineScalarTag, defineSequenceTag, mergeTag } from "js-yaml"
import { HeadraceError } from "../foundation/errors.ts"
import { type LocatedYaml, parseLocatedDocuments } from "../foundation/located-yaml.ts"
import { countNodes } from "../foundation/located-yaml-node.ts"

/** Nothing larger is a value of a ConfigMap, and parsing takes many times its size. */
const MOST_BYTES = 8 * 1024 * 1024
/** With every alias written out: a small file can stand for billions. */
const MOST_NODES = 1_000_000

/** In UTF-8. The decoder removes it, and most readers of JSON refuse it. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Tags that only the file's reader knows, such as `!Ref`: they make no file invalid. */
const OTHER_TAGS = ["!", "tag:"].flatMap((prefix) => [
  defineScalarTag(prefix, { matchByTagPrefix: true, resolve: (text) => text, identify: () => false }),
  defineSequenceTag<unknown[]>(prefix, {
    matchByTagPrefix: true,
    create: () => [],
    addItem: (items, item) => void items.push(item),
    identify: () => false,
  }),
  defineMappingTag<Map<string, unknown>, Record<string, unknown>>(prefix, {
    matchByTagPrefix: true,
    create: () => new Map(),
    addPair: (pairs, key, value) => (pairs.set(String(key), value) ? "" : ""),
    has: (pairs, key) => pairs.has(String(key)),
    keys: (value) => Object.keys(value),
    get: (value, key) => value[String(key)],
    finalize: (pairs) => Object.fromEntries(pairs),
    identify: () => false,
  }),
])
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, ...OTHER_TAGS)

/** How a file is read: as its gate or its name states. */
export type Format = "yaml" | "json"

/** JSON by the name's end, otherwise YAML. */
export function formatOfPath(path: string): Format {
  return path.endsWith(".json") ? "json" : "yaml"
}

/**
 * Parses every document of a file, with the places of its values. Throws HeadraceError `gate/not-parsed` with `file`,
 * `line` and `column` among its fields.
 */
export function readDocuments(content: Buffer, file: string, format: Format): LocatedYaml[] {
  if (content.length > MOST_BYTES) {
    throw notParsed(`it has ${content.length} bytes, and at most ${MOST_BYTES} are parsed`, { file })
  }
  const text = textOf(content, file)
  if (format === "json" && content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
    throw notParsed("JSON must not begin with a byte order mark (RFC 8259, 8.1)", {
      file,
      line: 1,
      column: 1,
    })
  if (format === "json") return [parseJson(text, file)]
  const documents = parseYaml(text, file)
  for (const { root } of documents) {
    if (root && countNodes(root, MOST_NODES) > MOST_NODES)
      throw notParsed(`its aliases stand for more than ${MOST_NODES} values`, { file })
  }
  return documents
}

function textOf(content: Buffer, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content)
  } catch (cause) {
    throw notParsed("it is not UTF-8 text", { file }, cause)
  }
}

function parseYaml(text: string, file: string): LocatedYaml[] {
  try {
    return parseLocatedDocuments(text, file, SCHEMA)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    throw notParsed(error.message, error.fields, error)
  }
}

/** JSON is YAML as good as always, which knows the places of values; where it is not, no place is known. */
function parseJson(text: string, file: string): LocatedYaml {
  const value = jsonValue(text, file)
  try {
    const [document] = parseLocatedDocuments(text, file, SCHEMA, { lastOfEqualKeys: true })
    if (document) return document
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
  }
  const start = () => ({ line: 1, column: 1 })
  return { value, file, root: undefined, positionAt: start, positionOf: start, keyPositionOf: start }
}

function jsonValue(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const offset = Number(/at position (\d+)/.exec((error as Error).message)?.[1] ?? text.length)
    const before = text.slice(0, offset).split("\n")
    const place = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    throw notParsed("not valid JSON", place, error)
  }
}

function notParsed(message: string, fields: Record<string, unknown>, cause?: unknown): HeadraceError {
  return new HeadraceError("gate/not-parsed", message, { fields, cause })
}
