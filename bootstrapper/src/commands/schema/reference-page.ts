import type { JsonSchema } from "@headrace/shared/foundation/json-schema"

/** A field as the page lists it: `sources.NAME.poll`. */
interface Field {
  path: string
  schema: JsonSchema
  required: boolean
}

/** A table of all fields, nested ones by their path; NAME is a key of the user's own, [] for an element. */
export function referencePage(title: string, about: string, schema: JsonSchema): string {
  const rows = fieldsOf(schema, "").map(rowText)
  return `# ${title}

<!-- Generated from the schema that validates the file: headrace-bootstrapper schema. Do not edit. -->

${about}

| field | type | default | meaning |
|---|---|---|---|
${rows.join("\n")}
`
}

function fieldsOf(schema: JsonSchema, path: string): Field[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const field = {
      path: join(path, name),
      schema: inner,
      required: schema.required?.includes(name) ?? false,
    }
    return [field, ...fieldsOf(inner, field.path)]
  })
  const { additionalProperties: entry, items, anyOf = [] } = schema
  const named = typeof entry === "object" ? fieldsOf(entry, join(path, "NAME")) : []
  const listed = items ? fieldsOf(items, `${path}[]`) : []
  return [...own, ...named, ...listed, ...anyOf.flatMap((option) => fieldsOf(option, path))]
}

function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name
}

function rowText({ path, schema, required }: Field): string {
  const fallback = schema.default === undefined ? (required ? "required" : "") : code(schema.default)
  const cells = [`\`${path}\``, typeText(schema), fallback, schema.description ?? ""]
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum) return schema.enum.map(code).join(", ")
  if (schema.anyOf)
    return [...new Set(schema.anyOf.map(typeText))].filter((text) => text !== "null").join(" or ")
  if (schema.items) return `list of ${typeText(schema.items)}`
  if (schema.type === "null") return "null"
  const types = [schema.type ?? []].flat().filter((type) => type !== "null")
  if (types.includes("object"))
    return typeof schema.additionalProperties === "object" ? "mapping by name" : "mapping"
  return types.join(" or ") || "any"
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``
}
