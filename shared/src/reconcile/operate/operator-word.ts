import { randomBytes } from "node:crypto"
import { z } from "zod"
import { canonicalJson } from "../../foundation/canonical-json.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { FULL_ID } from "../../foundation/object-id.ts"
import { parseJsonAs } from "../../foundation/parse-json.ts"

const WORD_FORMAT = 1
/** A word that waited for longer is not obeyed: its reason may be over. Milliseconds. */
export const WORD_AGE_MS = 24 * 3_600_000
/** On each word, with the source that it is for. */
export const WORD_LABEL = "headrace.dev/word"
const WORD_KEY = "word.json"
const ANSWER_KEY = "answer.json"

const commit = z.string().regex(FULL_ID)
const until = z.iso.datetime().nullable()
const text = z.string().max(500)

/** What an operator says of a source in the cluster where the word is. */
const Said = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("hold"), commit: commit.optional(), until }),
  z.strictObject({
    verb: z.literal("rewind"),
    commit,
    rulesCommit: commit.optional(),
    until,
    epoch: z.int().min(1).optional(),
  }),
  z.strictObject({ verb: z.literal("release") }),
  z.strictObject({
    verb: z.literal("approve"),
    commit,
    lifts: z.enum(["guard", "gate", "unverified", "rejection"]),
  }),
  z.strictObject({ verb: z.literal("promote") }),
  z.strictObject({ verb: z.literal("skip"), clusters: z.array(text).min(1).max(100) }),
])
export type Said = z.infer<typeof Said>

/** An operator's word from a machine without the key, which a program that has it obeys (docs/decisions/136). */
const OperatorWord = z.strictObject({
  format: z.literal(WORD_FORMAT),
  source: z.string().min(1),
  said: Said,
  by: text,
  reason: text,
  /** ISO time. */
  at: z.iso.datetime(),
})
export type OperatorWord = z.infer<typeof OperatorWord>

/** What became of a word. */
const WordAnswer = z.strictObject({
  format: z.literal(WORD_FORMAT),
  /** Null: it was obeyed; otherwise why not. */
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  /** Milliseconds since the epoch. */
  at: z.int(),
})
export type WordAnswer = z.infer<typeof WordAnswer>

/** A word as its ConfigMap keeps it, under a name of its own. */
export function wordConfigMap(namespace: string, word: Omit<OperatorWord, "format">): ConfigMap {
  const name = `${word.source.slice(0, 200)}-word-${randomBytes(8).toString("hex")}`
  return {
    metadata: { namespace, name, labels: { [WORD_LABEL]: word.source } },
    data: { [WORD_KEY]: canonicalJson({ ...word, format: WORD_FORMAT }) },
  }
}

/** The word of a ConfigMap; undefined: it is none, or of a newer version. */
export function readWord({ data }: ConfigMap): OperatorWord | undefined {
  return parseJsonAs(OperatorWord, data?.[WORD_KEY])
}

/** What became of a word; undefined: nothing yet. */
export function readAnswer({ data }: ConfigMap): WordAnswer | undefined {
  return parseJsonAs(WordAnswer, data?.[ANSWER_KEY])
}

/** The ConfigMap of a word with what became of it. */
export function answered(configMap: ConfigMap, answer: Omit<WordAnswer, "format">): ConfigMap {
  const text = canonicalJson({ ...answer, format: WORD_FORMAT })
  return { ...configMap, data: { ...configMap.data, [ANSWER_KEY]: text } }
}
