import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { UsageError } from "../../foundation/errors.ts"
import type { ClusterAccess } from "../credentials/cluster-access.ts"
import { openTokenFile } from "../credentials/token-file.ts"
import { proxyFor } from "../protocol/proxy-for.ts"

/** Where Kubernetes mounts a Pod's service account. */
export const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

/** Access by the pod's own service account, as Kubernetes mounts it. Throws UsageError outside a pod. */
export async function inClusterAccess(
  environment: NodeJS.ProcessEnv = process.env,
  folder = SERVICE_ACCOUNT,
): Promise<ClusterAccess> {
  const host = environment.KUBERNETES_SERVICE_HOST
  const port = environment.KUBERNETES_SERVICE_PORT ?? "443"
  if (!host) {
    throw new UsageError("kube/not-in-cluster", "there is no Kubernetes service account here", {
      hint: "Give a kubeconfig, or run in a pod with automountServiceAccountToken.",
    })
  }
  const token = openTokenFile(join(folder, "token"))
  const server = new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`)
  return {
    server,
    proxy: proxyFor(server, environment),
    tls: { ca: await readFile(join(folder, "ca.crt")) },
    credential: async () => ({ authorization: `Bearer ${await token.read()}` }),
    refuse: () => undefined,
  }
}
