import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { readFile } from "node:fs/promises"
import { sha256 } from "../foundation/digest.ts"
import { HeadraceError } from "../foundation/errors.ts"

/** A public key that records may be signed by. */
export interface TrustedKey {
  /** The beginning of the SHA-256 of the key: what signatures name. */
  id: string
  key: KeyObject
  /** Milliseconds since the epoch after which it is not believed; undefined: for good. */
  expires: number | undefined
  /** Where it is from, for messages. */
  file: string
}

/** A private key with its public part. */
export interface SigningKey extends TrustedKey {
  privateKey: KeyObject
}

const DIGITS = 16
const DAY_LENGTH = "2027-01-31".length
const BEGIN = /^-----BEGIN (PUBLIC|PRIVATE) KEY-----$/m
const END = /^-----END (PUBLIC|PRIVATE) KEY-----$/m

/** Reads a public key: PEM (RFC 7468), before it lines of `expires: DATE`. Throws `trust/key-invalid`. */
export async function readPublicKey(file: string): Promise<TrustedKey> {
  const text = await readKey(file)
  if (BEGIN.exec(text)?.[1] !== "PUBLIC") throw invalid(file, "it holds no public key")
  return {
    ...describe(
      file,
      parsed(file, () => createPublicKey(text)),
    ),
    expires: expiryOf(file, text),
  }
}

/** Reads a private key of the same form. Throws `trust/key-invalid`. */
export async function readSigningKey(file: string): Promise<SigningKey> {
  const text = await readKey(file)
  if (BEGIN.exec(text)?.[1] !== "PRIVATE") throw invalid(file, "it holds no private key")
  const privateKey = parsed(file, () => createPrivateKey(text))
  return {
    ...describe(file, createPublicKey(privateKey)),
    expires: expiryOf(file, text),
    privateKey,
  }
}

/** The texts of a new pair of files. `expires`: ISO date; undefined: for good. */
export function generateKeyFiles(expires: string | undefined): { privateText: string; publicText: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const head = expires === undefined ? "" : `expires: ${expires}\n`
  return {
    privateText: head + privateKey.export({ type: "pkcs8", format: "pem" }),
    publicText: head + publicKey.export({ type: "spki", format: "pem" }),
  }
}

/** The text of the public file of a key. */
export function publicTextOf({ key, expires }: Pick<TrustedKey, "key" | "expires">): string {
  const head = expires === undefined ? "" : `expires: ${new Date(expires).toISOString()}\n`
  return head + key.export({ type: "spki", format: "pem" })
}

function describe(file: string, key: KeyObject): { id: string; key: KeyObject; file: string } {
  if (key.asymmetricKeyType !== "ed25519")
    throw invalid(file, `its key is ${key.asymmetricKeyType}, not Ed25519`)
  return { id: sha256(key.export({ type: "spki", format: "der" })).slice(0, DIGITS), key, file }
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    throw invalid(file, "it cannot be read", cause)
  }
}

function parsed(file: string, parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch (cause) {
    throw invalid(file, "its PEM cannot be read", cause)
  }
}

/**
 * Milliseconds since the epoch of a day, `2027-01-31`, or of an ISO time in UTC; undefined: it is none. Date.parse alone takes
 * 31 February for a day of March.
 */
export function readExpiry(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text)) return undefined
  const time = Date.parse(text)
  const isDay = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, DAY_LENGTH))
  return isDay ? time : undefined
}

/** Anything else beside the key would be a restriction, or another key, that is not heeded: it is an error. */
function expiryOf(file: string, text: string): number | undefined {
  const end = END.exec(text)
  const rest = text.slice(end === null ? text.length : end.index + end[0].length)
  if (/\S/.test(rest))
    throw invalid(file, "it goes on after its key: a file has one, and what restricts it comes before")
  const head = text.slice(0, BEGIN.exec(text)?.index ?? 0)
  let expires: number | undefined
  for (const [at, line] of head.split("\n").entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue
    const [, date = ""] = /^expires: (\S+)\s*$/.exec(line) ?? []
    const time = readExpiry(date)
    if (time === undefined) throw invalid(`${file}:${at + 1}`, "expected expires: 2027-01-31, or the key")
    expires = time
  }
  return expires
}

function invalid(file: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError("trust/key-invalid", `the key ${file} cannot be used: ${why}`, {
    hint: "Give a file that headrace-bootstrapper keys generate has written.",
    cause,
  })
}
