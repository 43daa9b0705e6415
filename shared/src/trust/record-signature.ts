import { sign, verify } from "node:crypto"
import { z } from "zod"
import { canonicalJson } from "../foundation/canonical-json.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { type ErrorCode, HeadraceError } from "../foundation/errors.ts"
import { RECORD_KEY } from "../record/record-config-map.ts"
import { VERIFIED_ANNOTATION } from "../record/verification.ts"
import type { SigningKey, TrustedKey } from "./key-file.ts"

/** Beside `record.json` in the record's ConfigMap; programs that do not know it ignore it. */
export const SIGNATURE_KEY = "record.sig"

/** First in what is signed: so no signature that was made for another purpose is one of a record. */
const DOMAIN = "headrace.dev/record/v1\0"

const Envelope = z.strictObject({
  format: z.literal(1),
  /** The cluster, as the writer's settings call it. */
  cluster: z.string(),
  namespace: z.string(),
  source: z.string(),
  /** Id of the key. */
  key: z.string(),
  /** ISO time. */
  signedAt: z.iso.datetime(),
  /** Ed25519 (RFC 8032), base64. */
  signature: z.base64(),
})

/** What a signature that was verified says. */
export interface RecordSignature {
  cluster: string
  key: string
  /** Milliseconds since the epoch, by the writer's clock. */
  signedAt: number
}

/** Where a record is to be from, and whose signatures count. */
export interface Trust {
  keys: readonly TrustedKey[]
  /** Names that the writer's settings may have for the cluster. */
  clusters: readonly string[]
}

/** The ConfigMap of a record with its signature, in place of another. */
export function signRecord(
  configMap: ConfigMap,
  { cluster, key, signedAt }: { cluster: string; key: SigningKey; signedAt: number },
): ConfigMap {
  const { namespace, name: source } = configMap.metadata
  const said = { cluster, namespace, source, key: key.id, signedAt: new Date(signedAt).toISOString() }
  const signature = sign(null, signedBytes(configMap, said), key.privateKey).toString("base64")
  const envelope = canonicalJson({ format: 1, ...said, signature })
  return { ...configMap, data: { ...configMap.data, [SIGNATURE_KEY]: envelope } }
}

/**
 * Verifies that a program with one of the keys wrote a record, for this namespace, source and one of these clusters.
 * `now` is milliseconds since the epoch. How old a signature may be is for the caller to judge. Pure.
 *
 * Throws `trust/unsigned`, `trust/unknown-key`, `trust/key-expired`, `trust/bad-signature`, `trust/wrong-place`.
 */
export function verifyRecord(configMap: ConfigMap, { keys, clusters }: Trust, now: number): RecordSignature {
  const { namespace, name } = configMap.metadata
  const place = `record ${namespace}/${name}`
  const text = configMap.data?.[SIGNATURE_KEY]
  if (text === undefined) {
    throw refusal(
      "trust/unsigned",
      `${place} is not signed`,
      "Run keys sign where the key is, once the record is right.",
    )
  }
  const envelope = parseEnvelope(text)
  if (envelope === undefined) throw badSignature(`${place} has a signature that cannot be read`)
  const { format: _, signature, ...said } = envelope
  const key = keyOf(keys, envelope.key, now)
  if (key === undefined) {
    const known = keys.map(({ id }) => id).join(", ")
    const message = `${place} is signed by key ${envelope.key}, and those that are believed are ${known || "none"}`
    throw refusal(
      "trust/unknown-key",
      message,
      "Add the public key to trust.keys of agents, and signing.keys of writers, if it is right.",
    )
  }
  if (key.expires !== undefined && now >= key.expires) {
    const since = new Date(key.expires).toISOString()
    const message = `${place} is signed by key ${key.id} of ${key.file}, which expired at ${since}`
    throw refusal("trust/key-expired", message, "Make a new key with keys generate, and sign by it.")
  }
  if (!verify(null, signedBytes(configMap, said), key.key, Buffer.from(signature, "base64"))) {
    throw badSignature(`${place} does not fit its signature by key ${key.id}`)
  }
  if (said.namespace !== namespace || said.source !== name || !clusters.includes(said.cluster)) {
    const signed = `${said.namespace}/${said.source} in cluster ${said.cluster}`
    const message = `${place} in cluster ${clusters.join(" or ")} was signed as ${signed}`
    throw refusal("trust/wrong-place", message, "Compare the name of the cluster with trust.clusters.")
  }
  return { cluster: said.cluster, key: key.id, signedAt: Date.parse(said.signedAt) }
}

/** One key may be in two files, of which one has expired: a longer life is given by a file beside the old one. */
function keyOf(keys: readonly TrustedKey[], wanted: string, now: number): TrustedKey | undefined {
  const same = keys.filter(({ id }) => id === wanted)
  return same.find(({ expires }) => expires === undefined || now < expires) ?? same[0]
}

/** Everything that the signature covers: where, when and by which key, the note that people go by, all of record.json. */
function signedBytes(
  { metadata, data }: ConfigMap,
  said: Omit<z.infer<typeof Envelope>, "format" | "signature">,
): Buffer {
  const head = { ...said, verified: metadata.annotations?.[VERIFIED_ANNOTATION] ?? null }
  return Buffer.from(`${DOMAIN}${canonicalJson(head)}\0${data?.[RECORD_KEY] ?? ""}`)
}

function parseEnvelope(text: string): z.infer<typeof Envelope> | undefined {
  try {
    const parsed = Envelope.parse(JSON.parse(text))
    // One signature has one text: what differs from it was not written by a writer.
    const isPlain = Buffer.from(parsed.signature, "base64").toString("base64") === parsed.signature
    return isPlain && canonicalJson(parsed) === text ? parsed : undefined
  } catch {
    return undefined
  }
}

function badSignature(message: string): HeadraceError {
  return refusal("trust/bad-signature", message, "Find out who may write records, then run keys sign.")
}

function refusal(code: ErrorCode, message: string, hint: string): HeadraceError {
  return new HeadraceError(code, message, { hint })
}
