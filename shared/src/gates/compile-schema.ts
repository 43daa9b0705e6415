import type { ErrorObject, Options } from "ajv"
import type AjvCore from "ajv/dist/core.js"
import { errorMessage, HeadraceError, hasCode } from "../foundation/errors.ts"
import { formatOfPath, readDocuments } from "./read-document.ts"
import { type Timed, withinTime } from "./within-time.ts"

/** What a schema may measure; compiling takes many times that. */
const MOST_BYTES = 1024 * 1024
/** Milliseconds of CPU. The first compilation of a process compiles the standard's own schema as well. */
const COMPILE_LIMIT = 5000
/** Milliseconds of CPU for each document. */
const VALIDATE_LIMIT = 500

/** The first thing that is wrong with a value; undefined: nothing. Throws `gate/bad-schema` where it takes too long. */
export type Validate = (value: unknown) => ErrorObject | undefined

const OPTIONS: Options = {
  // Ajv has more against a schema than the standard, such as an `if` without `then`: of that only this counts.
  strictSchema: "log",
  logger: { log: () => undefined, warn: refuseUnknownKeyword, error: () => undefined },
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allowMatchingProperties: true,
  // Otherwise every object has "constructor", and whatever else it inherits.
  ownProperties: true,
  // Formats are remarks, as the standard has it since 2019-09: no two libraries agree on them.
  validateFormats: false,
}

/** A misspelt keyword would let everything pass without a word. Ajv warns in these words (ajv lib/compile/util.ts). */
function refuseUnknownKeyword(warning: unknown): void {
  const [unknown] = /unknown keyword: ".*"/.exec(String(warning)) ?? []
  if (unknown !== undefined) throw new Error(unknown)
}

type Library = new (options: Options) => AjvCore.default

/** Loaded when a gate needs them: Ajv is 30 files and a tenth of a second. */
const DRAFTS: readonly { name: string; load: () => Promise<Library> }[] = [
  { name: "2020-12", load: async () => (await import("ajv/dist/2020.js")).Ajv2020 },
  { name: "2019-09", load: async () => (await import("ajv/dist/2019.js")).Ajv2019 },
  { name: "draft-07", load: async () => (await import("ajv")).Ajv },
]

/**
 * Compiles a JSON Schema of a repository, of the draft that its `$schema` names, 2020-12 without one. Nothing is read
 * beside it, so a `$ref` to another document is an error. Compiling and validating are bounded in time: patterns and
 * references are the repository's. Throws HeadraceError `gate/bad-schema`.
 */
export async function compileSchema(content: Buffer, path: string): Promise<Validate> {
  const schema = parse(content, path)
  const Ajv = await libraryOf(schema, path)
  const ajv = new Ajv(OPTIONS)
  ajv.addVocabulary([...unlistedIn(schema)])
  const compiled = bounded(path, COMPILE_LIMIT, () => ajv.compile(schema))
  // Its answer would be a promise, which is true whatever comes of it.
  if ("$async" in compiled) throw badSchema(path, "$async is not supported")
  return (value) => bounded(path, VALIDATE_LIMIT, () => (compiled(value) ? undefined : compiled.errors?.[0]))
}

function parse(content: Buffer, path: string): Record<string, unknown> {
  if (content.length > MOST_BYTES) throw badSchema(path, `it has more than ${MOST_BYTES} bytes`)
  try {
    const [document] = readDocuments(content, path, formatOfPath(path))
    const value = document?.value
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (error) {
    if (!hasCode(error, "gate/not-parsed")) throw error
    throw badSchema(path, `${error.message}${error.fields.line ? `, line ${error.fields.line}` : ""}`, error)
  }
  throw badSchema(path, "it is no object")
}

async function libraryOf({ $schema }: Record<string, unknown>, path: string): Promise<Library> {
  const draft = DRAFTS.find(({ name }) => $schema === undefined || String($schema).includes(name))
  if (draft) return draft.load()
  const known = DRAFTS.map(({ name }) => name).join(", ")
  throw badSchema(path, `its $schema ${JSON.stringify($schema)} is none of ${known}`)
}

/**
 * Keywords that Ajv does not list: `$anchor`, which it reads all the same, remarks of editors, and those that begin with
 * `x-`.
 */
function unlistedIn(schema: unknown): Set<string> {
  const found = new Set([
    "$anchor",
    "markdownDescription",
    "deprecationMessage",
    "defaultSnippets",
    "enumDescriptions",
  ])
  const waiting: unknown[] = [schema]
  const seen = new Set<unknown>()
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== "object" || next === null || seen.has(next)) continue
    seen.add(next)
    for (const [key, value] of Object.entries(next)) {
      if (/^x-[\w-]+$/.test(key)) found.add(key)
      waiting.push(value)
    }
  }
  return found
}

function bounded<Result>(path: string, limit: number, work: () => Result): Result {
  const done = timed(path, limit, work)
  if (done === "too-long") throw badSchema(path, `it takes longer than ${limit} ms`)
  if (done !== "busy") return done.result
  throw new HeadraceError("gate/unjudged", `the machine is too busy to judge by the JSON Schema ${path}`, {
    hint: "Wait: the next wake-up judges again.",
  })
}

function timed<Result>(path: string, limit: number, work: () => Result): Timed<Result> {
  try {
    return withinTime(limit, work)
  } catch (error) {
    throw badSchema(path, errorMessage(error), error)
  }
}

function badSchema(path: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError("gate/bad-schema", `the JSON Schema ${path} cannot be used: ${why}`, { cause })
}
