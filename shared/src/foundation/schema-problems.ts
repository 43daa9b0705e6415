import type { z } from "zod"
import { suggestion } from "./closest-word.ts"
import type { ErrorCode } from "./errors.ts"
import type { LocatedYaml, YamlPath } from "./located-yaml.ts"
import type { Problem } from "./problem.ts"
import { schemaFields } from "./schema-fields.ts"

/** The codes of what a document's schema has against it. */
export interface SchemaCodes {
  unknownField: ErrorCode
  missingField: ErrorCode
  wrongValue: ErrorCode
}

type Issue = z.core.$ZodIssue

/**
 * What a schema has against a document, as problems with file, line, column and a suggestion for a
 * misspelt field. `base` is the path of the value that was parsed.
 */
export function schemaProblems(
  codes: SchemaCodes,
  schema: z.core.$ZodType,
  issues: readonly Issue[],
  yaml: LocatedYaml,
  base: YamlPath = [],
): Problem[] {
  return issues
    .flatMap((issue) => flattenUnion(issue))
    .flatMap((issue) => issueProblems(codes, schema, issue, yaml, base))
}

/** Of a union's failed options, the issues of the one that the value was meant as: the first of its type. */
function flattenUnion(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue]
  const meant = issue.errors.find((issues) => !issues.some(isOfAnotherType))
  if (!meant) return [{ ...issue, message: unionMessage(issue) }]
  return meant.flatMap((inner) => flattenUnion({ ...inner, path: [...issue.path, ...inner.path] }))
}

function isOfAnotherType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value")
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  const expected = issue.errors.flat().flatMap((inner) => {
    if (inner.code === "invalid_type") return [inner.expected]
    return inner.code === "invalid_value" ? inner.values.map((value) => JSON.stringify(value)) : []
  })
  return `expected ${[...new Set(expected)].join(" or ")}`
}

function issueProblems(
  codes: SchemaCodes,
  schema: z.core.$ZodType,
  issue: Issue,
  yaml: LocatedYaml,
  base: YamlPath,
): Problem[] {
  const path = [...base, ...issue.path]
  if (issue.code === "unrecognized_keys") {
    const known = schemaFields(schema, issue.path)
    return issue.keys.map((key) => ({
      severity: "error",
      code: codes.unknownField,
      message: `unknown field "${key}"${within(path)}`,
      hint: suggestion(key, known),
      file: yaml.file,
      ...yaml.keyPositionOf([...path, key]),
    }))
  }
  const place = { file: yaml.file, ...yaml.positionOf(path) }
  if (isMissing(issue)) {
    const message = `"${String(path.at(-1))}" is missing${within(path.slice(0, -1))}`
    return [{ severity: "error", code: codes.missingField, message, ...place }]
  }
  const message = `${pathText(path) || "the document"}: ${issueText(issue)}`
  return [{ severity: "error", code: codes.wrongValue, message, ...place }]
}

function isMissing(issue: Issue): boolean {
  return (
    issue.path.length > 0 && issue.code === "invalid_type" && issue.message.endsWith("received undefined")
  )
}

function issueText(issue: Issue): string {
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return `${JSON.stringify(String(issue.path.at(-1)))}: ${issue.issues.map(issueText).join("; ")}`
  }
  if (issue.code === "invalid_type" && issue.expected === "string" && isQuotable(issue.message)) {
    return `${tidy(issue.message)}; put it in quotes if it is meant as text`
  }
  return tidy(issue.message)
}

/** YAML reads `on`, `010` and `2024-01-01` as something else than text. */
function isQuotable(message: string): boolean {
  return /received (number|boolean|Date)$/.test(message)
}

/** A message of the schema's library in the words that ours have. */
export function tidy(message: string): string {
  return message
    .replace(/^Invalid (input|option|string): /, "")
    .replace("expected record", "expected a mapping")
    .replace("expected object", "expected a mapping")
    .replace(/^Too small: expected array to have >=1 items$/, "expected at least one item")
    .replace("expected boolean", "expected true or false")
    .replace("received undefined", "found nothing")
    .replace("received ", "found ")
}

function within(path: YamlPath): string {
  return path.length === 0 ? "" : ` in ${pathText(path)}`
}

/** `sources.release.url`, `projections[0]`; a key that is not a plain word is quoted. */
function pathText(path: YamlPath): string {
  let text = ""
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`
    else if (/^[\w-]+$/.test(String(part))) text += text ? `.${String(part)}` : String(part)
    else text += `${text ? "." : ""}${JSON.stringify(String(part))}`
  }
  return text
}
