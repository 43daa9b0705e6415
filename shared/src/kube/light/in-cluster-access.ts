import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { UsageError } from "../../foundation/errors.ts"
import type { ClusterAccess } from "../credentials/cluster-access.ts"
import { checkReadable } from "../credentials/readable-file.ts"
import { openTokenFile } from "../credentials/token-file.ts"
import { proxyFor } from "../protocol/proxy-for.ts"

/** Where Kubernetes mounts a Pod's service account. */
export const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

/** Throws UsageError `kube/not-in-cluster` where the Pod has no token of its service account, or no CA. `only`: what is looked for. */
export async function checkServiceAccount(folder: string, only = ["token", "ca.crt"]): Promise<void> {
  for (const name of only) {
    await checkReadable(join(folder, name), {
      code: "kube/not-in-cluster",
      what: `the service account's ${join(folder, name)}`,
      hint: "Set automountServiceAccountToken: true for the pod or its service account, or give a kubeconfig.",
    })
  }
}

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
  await checkServiceAccount(folder)
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
