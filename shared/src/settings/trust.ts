import { z } from "zod"
import { Duration, NamespaceName, Text } from "./units.ts"

const WEEK = "7d"

/** How writers sign records. Key files are read again for every record. */
export const Signing = z.strictObject({
  keyFile: Text.describe(
    "The private key, as `keys generate` makes it. A machine without the file reads records and writes none.",
  ),
  keys: z
    .array(Text)
    .prefault([])
    .describe(
      "Public keys that records may be signed by, too: the one before while keys are rotated; where keyFile is not, the writers'.",
    ),
  words: NamespaceName.optional().describe(
    "Namespace, the same in every cluster, whose ConfigMaps may hold an operator's word (hold, rewind, release, approve, promote) from a machine without the key; programs with the key obey. Who may create ConfigMaps there may say it. Absent: only a machine with the key may.",
  ),
  maxAge: Duration.refine((age) => age > 0, "expected more than nothing")
    .prefault(WEEK)
    .describe(
      "The agents' trust.maxAge. The hourly job signs again what was signed longer ago than a quarter of it.",
    ),
})
export type SigningSettings = z.infer<typeof Signing>

/** Whose records an agent believes. */
export const TrustSettings = z.strictObject({
  keys: z
    .array(Text)
    .min(1)
    .describe(
      "Public keys, a file each; a record must be signed by one of them. Read again for every record.",
    ),
  clusters: z
    .array(Text)
    .min(1)
    .describe("The names that the operator's file has for this cluster: a record of another one is refused."),
  maxAge: Duration.refine((age) => age > 0, "expected more than nothing")
    .prefault(WEEK)
    .describe("Where nothing was shown yet, a record that was signed longer ago is refused."),
})
export type TrustSettings = z.infer<typeof TrustSettings>
