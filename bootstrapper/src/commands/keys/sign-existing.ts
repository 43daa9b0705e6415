import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText, HeadraceError, hasCode, UsageError } from "@headrace/shared/foundation/errors"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { Log } from "@headrace/shared/observe/log"
import { readRecord } from "@headrace/shared/record/record-config-map"
import type { ClusterSettings, OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { readWriterKeys } from "@headrace/shared/trust/read-trust"
import { signRecord, verifyRecord } from "@headrace/shared/trust/record-signature"
import type { ClusterSource } from "../../cli/cluster-source-options.ts"

/** What was signed: what the operator has looked at. */
export interface Signed {
  commit: string | null
  /** The commit of a hold. */
  held: string | null
  /** Why it was not believed before; null: it was. */
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
    try {
      const { key } = verifyRecord(found, { keys: believed, clusters: [cluster] }, now)
      return { ...shown, before: null, key }
    } catch (error) {
      if (!hasCode(error, "trust/")) throw error
      await kube.replace(signRecord(found, { cluster, key: own, signedAt: now }), signal)
      return { ...shown, before: errorText(error), key: own.id }
    }
  } finally {
    kube.close()
  }
}
