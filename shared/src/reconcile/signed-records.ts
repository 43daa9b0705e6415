import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { isRecordConfigMap } from "../record/record-config-map.ts"
import type { SigningSettings } from "../settings/trust.ts"
import { readWriterKeys } from "../trust/read-trust.ts"
import { type RecordSignature, signRecord, verifyRecord } from "../trust/record-signature.ts"

/** Where signed records are, and what signs them. */
export interface SigningPlace {
  signing: SigningSettings
  /** As the settings call it. */
  cluster: string
  /** Headrace's own namespace, in which every record is. */
  namespace: string
  now(): number
}

/** ConfigMaps of one cluster, of which the records are verified when they are read and signed when they are written. */
export interface SigningClient {
  /** True when the key is on this machine and has not expired: otherwise no record can be written here. */
  maySign(): Promise<boolean>
  /**
   * Signs a record again that was signed longer ago than a quarter of `maxAge`. Needs nothing but the API server.
   * `by`: what speaks for the record. Its signature alone does so for `maxAge` and for the newest that was seen: an
   * earlier record that somebody has put back would otherwise be made new. Once a run has compared it with git, any.
   */
  renew(source: string, by: "signature" | "git", signal?: AbortSignal): Promise<void>
}

/**
 * Puts verifying and signing between a program and the API server: whatever reads a record through it acts on none that
 * is not signed, and whatever writes one signs it. So no caller can forget it. What is no record passes as it is, and so
 * does a watch, which is a hint to read.
 *
 * `get` and `list` throw `trust/…` for a record that is not to be believed; `create` and `replace` of one throw
 * `trust/no-key` where the key is not on this machine, and `trust/key-expired`.
 */
export function signingRecords<Client extends ConfigMapWriter>(
  kube: Client,
  place: SigningPlace,
): Client & SigningClient {
  const { signing, cluster, namespace, now } = place
  /** By name, the newest time that a record was seen to be signed at: time does not run back for agents. */
  const seen = new Map<string, number>()

  function isOurs(configMap: ConfigMap): boolean {
    return configMap.metadata.namespace === namespace && isRecordConfigMap(configMap)
  }

  async function verified(configMap: ConfigMap): Promise<RecordSignature> {
    const { believed } = await readWriterKeys(signing.keyFile, signing.keys)
    const signature = verifyRecord(configMap, { keys: believed, clusters: [cluster] }, now())
    note(configMap, signature.signedAt)
    return signature
  }

  function note({ metadata }: ConfigMap, signedAt: number): void {
    seen.set(metadata.name, Math.max(signedAt, seen.get(metadata.name) ?? 0))
  }

  async function signed(configMap: ConfigMap): Promise<ConfigMap> {
    if (!isOurs(configMap)) return configMap
    const { own } = await readWriterKeys(signing.keyFile, signing.keys)
    if (own === undefined) throw noKey(signing.keyFile)
    if (own.expires !== undefined && now() >= own.expires) throw expired(own.file, own.expires)
    const signedAt = Math.max(now(), (seen.get(configMap.metadata.name) ?? 0) + 1)
    note(configMap, signedAt)
    return signRecord(configMap, { cluster, key: own, signedAt })
  }

  return {
    ...kube,
    async maySign() {
      const { own } = await readWriterKeys(signing.keyFile, signing.keys)
      return own !== undefined && (own.expires === undefined || now() < own.expires)
    },
    async get(at, name, signal) {
      const found = await kube.get(at, name, signal)
      if (found !== undefined && isOurs(found)) await verified(found)
      return found
    },
    async list(at, selection, signal) {
      const found = await kube.list(at, selection, signal)
      for (const item of found.items) if (isOurs(item)) await verified(item)
      return found
    },
    create: async (configMap, signal) => kube.create(await signed(configMap), signal),
    replace: async (configMap, signal) => kube.replace(await signed(configMap), signal),
    async renew(source, by, signal) {
      const found = await kube.get(namespace, source, signal)
      if (found === undefined) return
      const { signedAt } = await verified(found)
      const age = now() - signedAt
      if (age <= signing.maxAge / 4) return
      const isDoubtful = age > signing.maxAge || signedAt < (seen.get(source) ?? 0)
      if (by === "signature" && isDoubtful) return
      await kube.replace(await signed(found), signal)
    },
  }
}

function noKey(file: string): HeadraceError {
  return new HeadraceError("trust/no-key", `records are signed, and the key ${file} is not on this machine`, {
    hint: "Run it where the key is, or name a namespace for operators' words in signing.words.",
  })
}

function expired(file: string, at: number): HeadraceError {
  const since = new Date(at).toISOString()
  return new HeadraceError(
    "trust/key-expired",
    `the key ${file} expired at ${since}, so nothing is signed by it`,
    {
      hint: "Make a new key with keys generate, and give its public part to the agents first.",
    },
  )
}
