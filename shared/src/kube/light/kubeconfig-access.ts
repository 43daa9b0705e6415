import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { type Clock, systemClock } from "../../foundation/clock.ts"
import { UsageError } from "../../foundation/errors.ts"
import {
  type KubeconfigCluster,
  type KubeconfigUser,
  readKubeconfigFile,
} from "../../settings/kubeconfig-file.ts"
import type { ClusterAccess, Credential, TlsIdentity } from "../credentials/cluster-access.ts"
import { openExecCredential } from "../credentials/exec-credential.ts"
import { openKeyPair } from "../credentials/key-pair.ts"
import { checkFilesOfCluster, checkFilesOfUser } from "../credentials/readable-file.ts"
import { openTokenFile } from "../credentials/token-file.ts"
import { parseProxy, proxyFor } from "../protocol/proxy-for.ts"

type CredentialSource = Pick<ClusterAccess, "credential" | "refuse">

/**
 * Access by a kubeconfig: server, CA, client certificate (files are re-read for new connections), token,
 * token file, basic authentication, exec plugin. Paths in it count from its folder. Throws UsageError `kube/kubeconfig`,
 * also for a file that it names and that cannot be read.
 */
export async function kubeconfigAccess(
  file: string,
  context?: string,
  clock: Clock = systemClock,
): Promise<ClusterAccess> {
  const { cluster, user } = await readKubeconfigFile(file, context)
  const folder = dirname(resolve(file))
  const server = URL.parse(cluster.server)
  if (!server) throw new UsageError("kube/kubeconfig", `kubeconfig ${file}: "${cluster.server}" is not a URL`)
  const proxy = proxyOf(cluster, server, file)
  await checkFilesOfCluster(cluster, folder, file)
  await checkFilesOfUser(user, folder, file)
  return {
    server,
    proxy,
    tls: await tlsOf(cluster, folder),
    ...credentialSource(cluster, user, folder, file, clock),
  }
}

/** As kubectl: what the kubeconfig says goes before the environment. Throws UsageError `kube/…`. */
function proxyOf(cluster: KubeconfigCluster, server: URL, file: string): URL | undefined {
  const named = cluster["proxy-url"]
  const proxy = named ? parseProxy(named, `kubeconfig ${file}, proxy-url`) : proxyFor(server)
  if (proxy && !/^https?:$/.test(proxy.protocol)) {
    const message = `kubeconfig ${file}: the agent reaches ${server.host} by no ${proxy.protocol.replace(":", "")} proxy`
    throw new UsageError("kube/kubeconfig", message, {
      hint: "Name an HTTP proxy, or exclude the server in NO_PROXY.",
    })
  }
  return proxy
}

async function tlsOf(cluster: KubeconfigCluster, folder: string): Promise<TlsIdentity> {
  const tls: TlsIdentity = {}
  const ca = await fileOrData(cluster["certificate-authority"], cluster["certificate-authority-data"], folder)
  if (ca) tls.ca = ca
  if (cluster["tls-server-name"]) tls.servername = cluster["tls-server-name"]
  if (cluster["insecure-skip-tls-verify"]) tls.rejectUnauthorized = false
  return tls
}

/** Who to be, as a kubeconfig's user has it; `folder` is where its paths count from. Throws UsageError `kube/kubeconfig`. */
export function credentialSource(
  cluster: KubeconfigCluster,
  user: KubeconfigUser,
  folder: string,
  file: string,
  clock: Clock,
): CredentialSource {
  const own = ownCredential(cluster, user, folder, file, clock)
  const impersonateUser = user.as
  if (!impersonateUser) return own
  return {
    credential: async () => ({ ...(await own.credential()), impersonateUser }),
    refuse: () => own.refuse(),
  }
}

function ownCredential(
  cluster: KubeconfigCluster,
  user: KubeconfigUser,
  folder: string,
  file: string,
  clock: Clock,
): CredentialSource {
  if (user.exec) return openExecCredential(user.exec, cluster, folder, clock)
  if (user["auth-provider"] !== undefined) {
    const hint = "Use an exec plugin, which took its place in Kubernetes 1.26."
    throw new UsageError("kube/kubeconfig", `kubeconfig ${file}: auth-provider is not supported`, { hint })
  }
  const token = user.tokenFile ? openTokenFile(resolve(folder, user.tokenFile)) : undefined
  const keyPair = openKeyPair(async () => {
    const cert = await fileOrData(user["client-certificate"], user["client-certificate-data"], folder)
    const key = await fileOrData(user["client-key"], user["client-key-data"], folder)
    return { ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
  })
  async function credential(): Promise<Credential> {
    const found: Credential = { ...(await keyPair()) }
    const text = token ? await token.read() : user.token
    if (text) found.authorization = `Bearer ${text}`
    else if (user.username) found.authorization = basic(user.username, user.password ?? "")
    return found
  }
  return { credential, refuse: () => undefined }
}

async function fileOrData(
  path: string | undefined,
  data: string | undefined,
  folder: string,
): Promise<Buffer | undefined> {
  // kubectl's order: the data in the file wins over a path.
  if (data) return Buffer.from(data, "base64")
  return path ? readFile(resolve(folder, path)) : undefined
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
}
