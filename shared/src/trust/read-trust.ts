import { hasCode } from "../foundation/errors.ts"
import { readPublicKey, readSigningKey, type SigningKey, type TrustedKey } from "./key-file.ts"

/** Reads public keys, each time again: a Secret that is mounted changes under a running program. Throws `trust/key-invalid`. */
export async function readTrustedKeys(files: readonly string[]): Promise<TrustedKey[]> {
  return Promise.all(files.map(readPublicKey))
}

/** The keys of a writer. */
export interface WriterKeys {
  /** Undefined on a machine that has none: it may read and write nothing. */
  own: SigningKey | undefined
  /** What records may be signed by: its own, and those that the settings name beside. */
  believed: TrustedKey[]
}

/** Reads a writer's keys. Throws `trust/key-invalid`, but not for a private key that is not there. */
export async function readWriterKeys(keyFile: string, files: readonly string[]): Promise<WriterKeys> {
  const [own, others] = await Promise.all([ownKey(keyFile), readTrustedKeys(files)])
  return { own, believed: own === undefined ? others : [own, ...others] }
}

async function ownKey(file: string): Promise<SigningKey | undefined> {
  try {
    return await readSigningKey(file)
  } catch (error) {
    const isMissing =
      hasCode(error, "trust/key-invalid") && (error.cause as NodeJS.ErrnoException)?.code === "ENOENT"
    if (isMissing) return undefined
    throw error
  }
}
