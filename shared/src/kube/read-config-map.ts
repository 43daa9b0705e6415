import type { Clock } from "../foundation/clock.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import type { ConfigMapReader } from "./config-map-api.ts"
import { retryTransient, transientRetry } from "./retry-transient.ts"

/** Reads a ConfigMap, again where a failure may pass; undefined: there is none. Throws `kube/…`. */
export function readConfigMap(
  { kube, clock }: { kube: Pick<ConfigMapReader, "get">; clock: Clock },
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<ConfigMap | undefined> {
  return retryTransient(transientRetry(clock), signal, () => kube.get(namespace, name, signal))
}
