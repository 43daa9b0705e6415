import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { OWN_NAMESPACE, SOURCE } from "@headrace/config/local/local-settings"
import { readRecord } from "@headrace/shared/record/record-config-map"

/** What the process sends: its servers' kubeconfigs at first, then each swap of a record, at milliseconds since the epoch. */
export type FleetMessage =
  | { kind: "up"; kubeconfigs: string[] }
  | { kind: "swapped"; cluster: number; commit: string; at: number }

/** So many embedded API servers in one process: `node kube-fleet.ts COUNT`. */
const [, , count = "0"] = process.argv
const { signal } = new AbortController()

const kubes = await Promise.all(
  Array.from({ length: Number(count) }, () => startEmbeddedKube({ createNamespaces: true })),
)
const send = (message: FleetMessage) => process.send?.(message)
send({ kind: "up", kubeconfigs: kubes.map(({ kubeconfig }) => kubeconfig) })
process.on("disconnect", () => process.exit(0))
await Promise.all(kubes.map(({ store }, cluster) => report(cluster, inProcessClient(store))))

async function report(cluster: number, kube: ReturnType<typeof inProcessClient>): Promise<void> {
  const fieldSelector = `metadata.name=${SOURCE}`
  const { resourceVersion } = await kube.list(OWN_NAMESPACE, { fieldSelector }, signal)
  let shown: string | null = null
  for await (const event of kube.watch(OWN_NAMESPACE, { fieldSelector, resourceVersion }, signal)) {
    if (event.type !== "added" && event.type !== "modified") continue
    const { commit } = readRecord(event.object)
    if (commit === null || commit === shown) continue
    shown = commit
    send({ kind: "swapped", cluster, commit, at: Date.now() })
  }
}
