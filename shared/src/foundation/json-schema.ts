import { z } from "zod"

/** The part of JSON Schema (draft 2020-12) that our definitions come to. */
export interface JsonSchema {
  title?: string
  description?: string
  type?: string | readonly string[]
  properties?: Readonly<Record<string, JsonSchema>>
  required?: readonly string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  enum?: readonly unknown[]
  const?: unknown
  default?: unknown
}

/** The JSON Schema of what a file may hold: units as text, defaults optional. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema
}
