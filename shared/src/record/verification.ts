import { z } from "zod"
import { canonicalJson } from "../foundation/canonical-json.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { parseJsonAs } from "../foundation/parse-json.ts"
import type { SourceRecord } from "./record.ts"

/** JSON: what was found of the signatures of what a record shows. It names its commits, as the record moves on without it. */
export const VERIFIED_ANNOTATION = "headrace.dev/verified"
const MOST_DETAIL = 300

const Verification = z.object({
  commit: z.string(),
  rulesCommit: z.string().nullable(),
  /** Digest of the keys that it was judged by. */
  keys: z.string(),
  /** `lifted`: not verified, and an operator has approved that. */
  state: z.enum(["verified", "unverified", "lifted"]),
  /** Who signed, or what was missing. */
  detail: z.string(),
})

/** What was found when the signatures of what is in force were judged last. */
export type Verification = z.infer<typeof Verification>

/** The annotation that keeps a verification on its record's ConfigMap. */
export function verificationAnnotation(verification: Verification): { [name: string]: string } {
  const detail = verification.detail.slice(0, MOST_DETAIL)
  return { [VERIFIED_ANNOTATION]: canonicalJson({ ...verification, detail }) }
}

/** The verification of what a record shows; undefined: it is of something else, or was not judged. */
export function verificationOf(
  { metadata }: Pick<ConfigMap, "metadata">,
  { commit, rulesCommit }: Pick<SourceRecord, "commit" | "rulesCommit">,
): Verification | undefined {
  const found = parseJsonAs(Verification, metadata.annotations?.[VERIFIED_ANNOTATION])
  return found?.commit === commit && found.rulesCommit === rulesCommit ? found : undefined
}
