import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText, HeadraceError, hasCode, UsageError } from "@headrace/shared/foundation/errors"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { Log } from "@headrace/shared/observe/log"
import { readRecord } from "@headrace/shared/record/record-config-map"
import type { ClusterSettings, OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { readWriterKeys } from "@headrace/shared/trust/read-trust"
import { signRecord, type Trust, verifyRecord } from "@headrace/shared/trust/record-signature"
import type { ClusterSource } from "../../cli/cluster-source-options.ts"

/** What was signed: what the operator has looked at. */
export interface Signed {
  commit: string | null
  /** The commit of a hold. */
  held: string | null
  /** Why it was signed again; null: it was not. */
  before: string | null
  /** Id of the key that has signed it. */
  key: string
}

/**
 * Signs a record as it is, whatever it says: the operator's word that it is right. The only way by which a record comes
 * to be believed that was not. Throws `trust/…`, `record/absent`, `kube/…`.
 */
export async function signExisting(
  { signing, namespace }: OperatorSettings,
  address: ClusterSettings,
  { cluster, source }: ClusterSource,
  log: Log,
  signal: AbortSignal,
): Promise<Signed> {
  if (signing === undefined) {
    throw new UsageError("keys/no-signing", "the settings have no signing", {
      hint: "Set signing.keyFile to a file that keys generate has written.",
    })
  }
  const { own, believed } = await readWriterKeys(signing.keyFile, signing.keys)
  if (own === undefined) {
    throw new HeadraceError("trust/no-key", `the key ${signing.keyFile} is not on this machine`, {
      hint: "Run it where the key is.",
    })
  }
  const kube = await connectCluster(cluster, address, log)
  try {
    const found = await kube.get(namespace, source, signal)
    if (found === undefined) {
      throw new HeadraceError("record/absent", `there is no record of source ${source} in this cluster`, {
        hint: "Run apply first.",
      })
    }
    const { commit, hold } = readRecord(found)
    const now = systemClock.now()
    const shown = { commit, held: hold?.commit ?? null }
    const trust = { keys: believed, clusters: [cluster] }
    const before = whyAgain(found, trust, { own: own.id, maxAge: signing.maxAge, now })
    if (before === null) return { ...shown, before, key: own.id }
    await kube.replace(signRecord(found, { cluster, key: own, signedAt: now }), signal)
    return { ...shown, before, key: own.id }
  } finally {
    kube.close()
  }
}

/** Why a record is to be signed again; null: this writer's own key has signed it, within `maxAge`. Pure. */
function whyAgain(
  found: ConfigMap,
  trust: Trust,
  { own, maxAge, now }: { own: string; maxAge: number; now: number },
): string | null {
  try {
    const { key, signedAt } = verifyRecord(found, trust, now)
    // A key that is being replaced: agents are about to stop believing it.
    if (key !== own) return `it was signed by key ${key}`
    if (now - signedAt <= maxAge) return null
    return `it was signed at ${new Date(signedAt).toISOString()}, longer ago than signing.maxAge`
  } catch (error) {
    if (!hasCode(error, "trust/")) throw error
    return errorText(error)
  }
}
