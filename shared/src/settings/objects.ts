import { z } from "zod"
import { Bytes, HttpUrl, Text, Wait } from "./units.ts"

/** What the plugin serves of the store, on the port of `--objects-listen`. */
export const ServedObjects = z.strictObject({
  tokenFiles: z
    .array(Text)
    .min(1)
    .describe("Any of them may be a reader's bearer token: add the new one first to rotate."),
  clusters: z
    .array(Text)
    .min(1)
    .optional()
    .describe(
      "Whose stores are served, searched in this order: a reader gets what any of them holds. Absent: all.",
    ),
  memory: Bytes.prefault("64Mi").describe("Bytes of objects that are kept in memory, as they are sent."),
})

/** Where an agent looks for objects of the store before it asks the API server. */
export const ObjectCaches = z.strictObject({
  urls: z
    .array(HttpUrl)
    .min(1)
    .describe(
      "Asked in this order for URL/objects/DIGEST: the plugin's own port, or HTTP caches before it. Nothing that they answer is believed: an object is what its digest says.",
    ),
  tokenFile: Text.optional().describe(
    "File with the bearer token that they ask for; read for every request, and sent to all of them.",
  ),
  timeout: Wait.prefault("2s").describe(
    "How long one of them may take for an object before the next is asked.",
  ),
})
export type ObjectCachesSettings = z.infer<typeof ObjectCaches>
