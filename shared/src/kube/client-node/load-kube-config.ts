import { KubeConfig } from "@kubernetes/client-node"
import { UsageError } from "../../foundation/errors.ts"
import { kubeconfigTrouble } from "../kubeconfig-file.ts"

/** The part of a cluster's settings that says how to reach it. */
export interface ClusterAddress {
  inCluster?: boolean | undefined
  kubeconfig?: string | undefined
  context?: string | undefined
}

/**
 * A KubeConfig of one cluster alone: client-node reads the current context at the time of each request, so
 * that a shared one would send requests astray. Throws UsageError `kube/kubeconfig` or `kube/not-in-cluster`.
 */
export function loadKubeConfig(name: string, address: ClusterAddress): KubeConfig {
  const config = new KubeConfig()
  if (!address.kubeconfig) {
    if (!process.env.KUBERNETES_SERVICE_HOST) {
      throw new UsageError(
        "kube/not-in-cluster",
        `cluster "${name}" is the one we run in, but we run in none`,
        {
          hint: "Give it a kubeconfig.",
        },
      )
    }
    config.loadFromCluster()
    return config
  }
  try {
    config.loadFromFile(address.kubeconfig)
  } catch (error) {
    throw wrong(name, address.kubeconfig, kubeconfigTrouble(error))
  }
  if (address.context) config.setCurrentContext(address.context)
  if (!config.getCurrentCluster()) {
    throw wrong(
      name,
      address.kubeconfig,
      `it has no cluster for context "${config.getCurrentContext() ?? ""}"`,
    )
  }
  return config
}

function wrong(name: string, file: string, why: string): UsageError {
  return new UsageError("kube/kubeconfig", `cluster "${name}": kubeconfig ${file}: ${why}`)
}
