import type { Clock } from "../foundation/clock.ts"
import type { Mirror } from "../git/open-mirror.ts"
import type { ConfigMapReader } from "../kube/config-map-api.ts"
import type { LeaseReader } from "../kube/lease-api.ts"
import type { Orphans } from "../reconcile/operate/find-orphans.ts"
import type { ReconcileMemory } from "../reconcile/run/memory.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"
import type { LaneFacts } from "./fleet-facts.ts"

/** Where facts come from. Everything is opened at its first use, and may fail. */
export interface CollectPorts {
  settings: Pick<OperatorSettings, "namespace" | "programsNamespace" | "clusters" | "sources" | "signing">
  kube(cluster: string): Promise<ConfigMapReader & LeaseReader>
  repository(source: string): Promise<StatusRepository>
  /** ConfigMaps of a source that no rule names any more; undefined: nobody wants to know. */
  orphans?(cluster: string, source: string, signal: AbortSignal): Promise<Orphans>
  /** Reads what Redis keeps of the lanes; undefined: nothing says where Redis is. */
  lanes?: ((signal: AbortSignal) => Promise<LaneFacts>) | undefined
  clock: Clock
  /** Keeps indexes of the store between two collections. */
  memory: ReconcileMemory
}

/** What is asked of a source's mirror. */
export type StatusRepository = Pick<Mirror, "fetch" | "seqOf" | "contains" | "summaryOf">
