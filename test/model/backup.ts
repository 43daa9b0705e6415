import type { StoreSnapshot } from "@headrace/config/local/embedded-kube/object-store"
import type { InForce } from "./in-force-state.ts"

/** A backup of a cluster's etcd, and what was so of what is in it when it was made. */
export interface Backup {
  snapshot: StoreSnapshot
  inForce: readonly InForce[]
  /** As monitored-cluster.ts and bad-places.ts have it. */
  strange: ReadonlySet<string>
  terminating: ReadonlySet<string>
}
