import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { ClusterAccess } from "@headrace/shared/kube/credentials/cluster-access"
import { inClusterAccess } from "@headrace/shared/kube/light/in-cluster-access"
import { loadAll } from "js-yaml"
import { rawRequest } from "../contract/raw-request.ts"
import type { RealKube } from "./real-kube.ts"

const COLLECTIONS: Record<string, string> = {
  ServiceAccount: "api/v1",
  Role: "apis/rbac.authorization.k8s.io/v1",
  RoleBinding: "apis/rbac.authorization.k8s.io/v1",
}

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  subjects?: { kind: string; name: string; namespace?: string }[]
}

/**
 * Applies a manifest of accounts and Roles to a namespace of a real API server, and gives the way in of its service
 * account as a pod has it: token and CA mounted, the server in the environment.
 */
export async function serviceAccountAccess(
  kube: RealKube,
  manifest: string,
  namespace: string,
): Promise<ClusterAccess> {
  const manifests = loadAll(await readFile(manifest, "utf8")) as Manifest[]
  await post(kube, "/api/v1/namespaces", { metadata: { name: namespace } })
  for (const each of manifests) {
    const collection = `/${COLLECTIONS[each.kind]}/namespaces/${namespace}/${each.kind.toLowerCase()}s`
    // As kustomize's `namespace` does: all of it in one, the subjects too.
    const metadata = { ...each.metadata, namespace }
    const subjects = each.subjects?.map((subject) => ({ ...subject, namespace }))
    await post(kube, collection, { ...each, metadata, ...(subjects ? { subjects } : {}) })
  }
  const account = manifests.find(({ kind }) => kind === "ServiceAccount")?.metadata.name
  const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }
  const { status } = await post(kube, tokens, request)
  const { token } = status as { token: string }
  const folder = join(dirname(kube.kubeconfigFile), `account-${account}`)
  await mkdir(folder)
  await writeFile(join(folder, "token"), token, { mode: 0o600 })
  await writeFile(
    join(folder, "ca.crt"),
    await readFile(join(dirname(kube.kubeconfigFile), "certs/apiserver.crt")),
  )
  const { hostname, port } = new URL(kube.url)
  return inClusterAccess({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, folder)
}

async function post(kube: RealKube, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await rawRequest(kube, "POST", path, body)
  if (answer.status === 201) return answer.body
  throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}
