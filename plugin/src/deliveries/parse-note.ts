import { parseJsonAs } from "@headrace/shared/foundation/parse-json"
import type { z } from "zod"

/** No note of ours is longer; what is may be meant to use up memory. */
const MOST_CHARACTERS = 1_000_000

/** A value that we keep in Redis as JSON; undefined where it is none of ours: anybody who may write there could have. */
export function parseNote<Schema extends z.ZodType>(
  schema: Schema,
  text: string | undefined,
): z.infer<Schema> | undefined {
  return text === undefined || text.length > MOST_CHARACTERS ? undefined : parseJsonAs(schema, text)
}
