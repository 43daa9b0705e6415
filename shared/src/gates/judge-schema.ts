import type { ErrorObject } from "ajv"
import type { LocatedYaml, YamlPath } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import type { FileGate } from "../settings/gates.ts"
import type { Validate } from "./compile-schema.ts"
import { refusal } from "./gate-problem.ts"

const MOST_NAMED = 8

/** The first thing that each document of a file has against its schema, at its place. Throws `gate/bad-schema`. */
export function schemaViolations(
  gate: FileGate,
  file: string,
  documents: readonly LocatedYaml[],
  validate: Validate,
): Problem[] {
  // What a `---` at the end of a file begins is no document; a file without any is an empty one.
  const filled = documents.filter(({ value }) => value !== null && value !== undefined)
  if (filled.length === 0) {
    const error = validate(null)
    if (error === undefined) return []
    const message = `the file is empty, and ${nameOf([])} ${textOf(error)}`
    return [refusal(gate, "gate/schema", message, { file, line: 1, column: 1 })]
  }
  return filled.flatMap((document) => {
    const error = validate(document.value)
    if (error === undefined) return []
    const path = pathOf(error.instancePath, document.value)
    const extra: unknown = error.params.additionalProperty ?? error.params.unevaluatedProperty
    const position =
      typeof extra === "string"
        ? document.keyPositionOf([...path, extra])
        : path.length === 0
          ? document.positionOf([])
          : document.keyPositionOf(path)
    const message = `${nameOf(path)} ${textOf(error)}`
    return [refusal(gate, "gate/schema", message, { file, ...position })]
  })
}

/** The path of a value by its JSON Pointer (RFC 6901), items of lists by number. */
function pathOf(pointer: string, value: unknown): YamlPath {
  const path: PropertyKey[] = []
  let at = value
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~")
    path.push(Array.isArray(at) ? Number(key) : key)
    at = (at as Record<string, unknown> | undefined)?.[key]
  }
  return path
}

function nameOf(path: YamlPath): string {
  if (path.length === 0) return "the document"
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("")
  return JSON.stringify(text.replace(/^\./, ""))
}

function textOf({ message = "is not valid", params }: ErrorObject): string {
  const extra: unknown = params.additionalProperty ?? params.unevaluatedProperty
  if (typeof extra === "string") return `${message}: ${JSON.stringify(extra)}`
  if (!Array.isArray(params.allowedValues)) return message
  const values = params.allowedValues.slice(0, MOST_NAMED).map((value) => JSON.stringify(value))
  return `${message}: ${values.join(", ")}${params.allowedValues.length > MOST_NAMED ? ", …" : ""}`
}
