import { readFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { KubeConfig } from "@kubernetes/client-node"
import { systemClock } from "../../foundation/clock.ts"
import { errorMessage, errorText, hasCode, UsageError } from "../../foundation/errors.ts"
import { type KubeconfigCluster, parseKubeconfig } from "../../settings/kubeconfig-file.ts"
import { placeOfSetting } from "../../settings/setting-places.ts"
import { checkFilesOfCluster, checkFilesOfUser, checkReadable } from "../credentials/readable-file.ts"
import { openTokenFile } from "../credentials/token-file.ts"
import { checkServiceAccount, SERVICE_ACCOUNT } from "../light/in-cluster-access.ts"
import { credentialSource } from "../light/kubeconfig-access.ts"
import { parseProxy, proxyFor } from "../protocol/proxy-for.ts"
import { authenticateWith } from "./authenticate-with.ts"

/** The part of a cluster's settings that says how to reach it. */
export interface ClusterAddress {
  inCluster?: boolean | undefined
  kubeconfig?: string | undefined
  context?: string | undefined
  /** A file whose token is used in place of what the kubeconfig or the Pod has. */
  tokenFile?: string | undefined
}

/**
 * A KubeConfig of one cluster alone: client-node reads the current context at the time of each request, so
 * that a shared one would send requests astray. Credentials are looked for as the light client does, but for the old
 * auth-providers: client-node 2.0.1 ignores `tokenFile`, keeps a Pod's token for a minute with a final newline,
 * and waits for an exec plugin without end.
 * Throws UsageError `kube/kubeconfig`, `kube/proxy` or `kube/not-in-cluster`.
 */
export async function loadKubeConfig(name: string, address: ClusterAddress): Promise<KubeConfig> {
  return withProxy(await loadConfig(name, address), address.kubeconfig)
}

/** Adds the proxy of the environment, which client-node does not look at, where the kubeconfig names none. */
function withProxy(config: KubeConfig, file: string | undefined): KubeConfig {
  const current = config.getCurrentCluster()
  const server = current && URL.parse(current.server)
  if (!current || !server) return config
  const named = current.proxyUrl
  const proxy = named ? parseProxy(named, `kubeconfig ${file}, proxy-url`) : proxyFor(server)
  if (proxy === undefined) return config
  const changed = { ...current, proxyUrl: proxy.href }
  config.clusters = config.clusters.map((cluster) => (cluster === current ? changed : cluster))
  return config
}

async function loadConfig(name: string, address: ClusterAddress): Promise<KubeConfig> {
  if (!address.kubeconfig) return loadInCluster(name, address.tokenFile)
  try {
    return await loadFile(address.kubeconfig, address)
  } catch (error) {
    const place = placeOfSetting(address)
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      const at = place === undefined ? "" : `${place}: `
      const message = `${at}cluster "${name}": there is no kubeconfig ${address.kubeconfig}`
      throw new UsageError("kube/kubeconfig", message, {
        hint: "Mount or write the file, or correct its path: it counts from the working folder unless it is absolute.",
      })
    }
    const why = hasCode(error, "kube/kubeconfig")
      ? errorMessage(error)
      : `kubeconfig ${address.kubeconfig}: ${errorText(error)}`
    const message = `${place === undefined ? "" : `${place}: `}cluster "${name}": ${why}`
    throw new UsageError(
      "kube/kubeconfig",
      message,
      error instanceof UsageError && error.hint ? { hint: error.hint } : {},
    )
  }
}

async function loadInCluster(name: string, tokenFile: string | undefined): Promise<KubeConfig> {
  if (!process.env.KUBERNETES_SERVICE_HOST) {
    throw new UsageError(
      "kube/not-in-cluster",
      `cluster "${name}" is the one we run in, but we run in none`,
      {
        hint: "Give it a kubeconfig.",
      },
    )
  }
  await checkServiceAccount(SERVICE_ACCOUNT, ["ca.crt"])
  if (tokenFile === undefined) await checkServiceAccount(SERVICE_ACCOUNT, ["token"])
  else await checkTokenFile(name, tokenFile)
  const config = new KubeConfig()
  config.loadFromCluster()
  return withTokenFile(config, tokenFile ?? join(SERVICE_ACCOUNT, "token"))
}

async function loadFile(file: string, address: ClusterAddress): Promise<KubeConfig> {
  const text = await readFile(file, "utf8")
  const { context, cluster, user } = parseKubeconfig(text, file, address.context)
  refusePlaintext(cluster, file)
  const folder = dirname(resolve(file))
  const config = new KubeConfig()
  config.loadFromString(text)
  config.makePathsAbsolute(folder)
  config.setCurrentContext(context)
  await checkFilesOfCluster(cluster, folder, file)
  if (address.tokenFile) {
    await checkTokenFile(context, address.tokenFile)
    return withTokenFile(config, address.tokenFile)
  }
  await checkFilesOfUser(user, folder, file)
  if (user["auth-provider"] !== undefined) return config
  const { credential } = credentialSource(cluster, user, folder, file, systemClock)
  return authenticateWith(config, credential)
}

/** client-node refuses it with every request, which would be tried again as if the server did not answer. */
function refusePlaintext(cluster: KubeconfigCluster, file: string): void {
  if (!/^http:/i.test(cluster.server) || cluster["insecure-skip-tls-verify"]) return
  throw new UsageError("kube/kubeconfig", `${file}: the server ${cluster.server} has no TLS`, {
    hint: "Give it https://, or set insecure-skip-tls-verify: true there for a server of this machine.",
  })
}

/** `name`: the cluster's, or that of the context. */
function checkTokenFile(name: string, path: string): Promise<void> {
  return checkReadable(path, {
    code: "kube/kubeconfig",
    what: `the token file ${path} for ${name}`,
    hint: "Write or mount that file, or correct its path.",
  })
}

function withTokenFile(config: KubeConfig, path: string): KubeConfig {
  const token = openTokenFile(path)
  return authenticateWith(config, async () => ({ authorization: `Bearer ${await token.read()}` }))
}
