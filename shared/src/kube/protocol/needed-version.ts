import type { ConfigMap } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"

/**
 * The version that was read, which a replace or a remove needs: without one Kubernetes would overwrite or
 * delete whatever is there. Throws `kube/no-version`.
 */
export function neededVersion(configMap: ConfigMap): string {
  const { namespace, name, resourceVersion } = configMap.metadata
  if (resourceVersion) return resourceVersion
  throw new HeadraceError(
    "kube/no-version",
    `ConfigMap ${namespace}/${name} has no resourceVersion of what was read`,
  )
}
