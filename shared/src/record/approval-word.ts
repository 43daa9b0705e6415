import { z } from "zod"
import { canonicalJson } from "../foundation/canonical-json.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { parseJsonAs } from "../foundation/parse-json.ts"

/** JSON: the operator who approved something of a commit last. It names the commit, as the record moves on without it. */
const APPROVED_ANNOTATION = "headrace.dev/approved-by"
/** A reason is a few words; no annotation becomes as long as a record. */
const MOST_REASON = 300

const ApprovalWord = z.object({
  commit: z.string(),
  by: z.string(),
  reason: z.string(),
  /** ISO time. */
  at: z.string(),
})

/** Who approved a commit, or lifted its rejection, why and when. For people: nothing is decided by it. */
export type ApprovalWord = z.infer<typeof ApprovalWord>

/** The annotation that keeps it on its record's ConfigMap. */
export function approvalAnnotation(word: ApprovalWord): { [name: string]: string } {
  return { [APPROVED_ANNOTATION]: canonicalJson({ ...word, reason: word.reason.slice(0, MOST_REASON) }) }
}

/** The word that approved this commit; undefined: there is none, or it cannot be read. */
export function approvalWordOf(
  { metadata }: Pick<ConfigMap, "metadata">,
  commit: string | undefined,
): ApprovalWord | undefined {
  const found = parseJsonAs(ApprovalWord, metadata.annotations?.[APPROVED_ANNOTATION])
  return found?.commit === commit ? found : undefined
}
