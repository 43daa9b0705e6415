import { createSecureContext } from "node:tls"
import { KubeError } from "../kube-error.ts"
import type { Credential } from "./cluster-access.ts"

/** A client's certificate and its key; neither where it has none. */
export type KeyPair = Pick<Credential, "cert" | "key">

/**
 * A client certificate whose files are replaced from time to time. `read` is asked for every request; while a
 * file cannot be read, or certificate and key are not a pair because only one is new yet, the last good pair is
 * used. Throws `kube/unauthorized` when there was none.
 */
export function openKeyPair(read: () => Promise<KeyPair>): () => Promise<KeyPair> {
  let last: KeyPair | undefined
  return async () => {
    try {
      const found = await read()
      if (last && isEqual(found.cert, last.cert) && isEqual(found.key, last.key)) return last
      checkPair(found)
      last = found
    } catch (cause) {
      if (last) return last
      if (cause instanceof KubeError) throw cause
      throw new KubeError("kube/unauthorized", "the client certificate cannot be read", { cause })
    }
    return last
  }
}

/** Throws `kube/unauthorized` unless certificate and key belong together; both may be absent. */
export function checkPair({ cert, key }: KeyPair): void {
  if (cert === undefined && key === undefined) return
  try {
    createSecureContext({ ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) })
  } catch (cause) {
    const hint = "Give both as PEM, the key without a passphrase."
    throw new KubeError("kube/unauthorized", "client certificate and key are no pair", { hint, cause })
  }
}

function isEqual(a: string | Buffer | undefined, b: string | Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.from(a).equals(Buffer.from(b))
}
