import { z } from "zod"

/**
 * Field names that a schema knows at a path, for suggestions: through optional, default, union, record and
 * array alike. Empty where any name will do.
 */
export function schemaFields(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const [part, ...rest] = path
  const inner = unwrap(schema)
  if (inner.length > 1) return inner.flatMap((option) => schemaFields(option, path))
  const node = inner[0]
  if (node instanceof z.ZodObject) {
    if (part === undefined) return Object.keys(node.shape)
    const field: z.core.$ZodType | undefined = node.shape[String(part)]
    return field ? schemaFields(field, rest) : []
  }
  if (part === undefined) return []
  if (node instanceof z.ZodRecord) return schemaFields(node.valueType, rest)
  if (node instanceof z.ZodArray) return schemaFields(node.element, rest)
  return []
}

/** The schemas behind wrappers; several for a union. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrap(schema.def.innerType)
  }
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in)
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(unwrap)
  return [schema]
}
