import { type ConfigMap, configMapSize } from "../../foundation/config-map.ts"
import { type TargetId, targetText } from "../../foundation/target.ts"

/** A named ConfigMap as it was last read or written here. */
export interface TargetSize {
  source: string
  target: TargetId
  /** What Kubernetes holds against 1 MiB. */
  bytes: number
  /** Milliseconds since 1970. */
  at: number
}

/** How large the named ConfigMaps are, for metrics: noted in passing, so that nothing is read for it. */
export interface TargetSizes {
  note(source: string, target: TargetId, configMap: ConfigMap, at: number): void
  /** Forgets those of a cluster and source that were not met since: after a full run no rule names them. */
  forget(cluster: string, source: string, since: number): void
  all(): Iterable<TargetSize>
}

export function createTargetSizes(): TargetSizes {
  const sizes = new Map<string, TargetSize>()
  return {
    note(source, target, configMap, at) {
      sizes.set(targetText(target), { source, target, bytes: configMapSize(configMap), at })
    },
    forget(cluster, source, since) {
      for (const [key, size] of sizes) {
        if (size.target.cluster === cluster && size.source === source && size.at < since) sizes.delete(key)
      }
    },
    all: () => sizes.values(),
  }
}
