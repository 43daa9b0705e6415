import { execFile } from "node:child_process"
import { isAbsolute, resolve } from "node:path"
import { promisify } from "node:util"
import { z } from "zod"
import type { Clock } from "../../foundation/clock.ts"
import type { KubeconfigCluster, KubeconfigExec } from "../../settings/kubeconfig-file.ts"
import { KubeError } from "../kube-error.ts"
import type { ClusterAccess, Credential } from "./cluster-access.ts"
import { checkPair } from "./key-pair.ts"

const run = promisify(execFile)
const TIME_LIMIT_MS = 60_000
const OUTPUT_LIMIT_BYTES = 1024 * 1024
/** A credential is replaced this long before it expires, so that none expires under way. */
const EARLY_MS = 10_000

const ExecCredential = z.object({
  kind: z.literal("ExecCredential"),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
})

/**
 * Credentials from an exec plugin (client-go credential plugins, client.authentication.k8s.io/v1): run when
 * needed, kept until shortly before they expire or the server refuses them, one run at a time.
 */
export function openExecCredential(
  exec: KubeconfigExec,
  cluster: KubeconfigCluster,
  folder: string,
  clock: Clock,
): Pick<ClusterAccess, "credential" | "refuse"> {
  let kept: { credential: Credential; expires: number } | undefined
  let running: Promise<Credential> | undefined

  async function renew(): Promise<Credential> {
    const status = await runPlugin(exec, cluster, folder)
    const credential: Credential = {}
    if (status.token) credential.authorization = `Bearer ${status.token}`
    if (status.clientCertificateData) credential.cert = status.clientCertificateData
    if (status.clientKeyData) credential.key = status.clientKeyData
    checkPair(credential)
    const expires = status.expirationTimestamp
      ? Date.parse(status.expirationTimestamp)
      : Number.POSITIVE_INFINITY
    kept = { credential, expires }
    return credential
  }
  async function credential(): Promise<Credential> {
    if (kept && clock.now() < kept.expires - EARLY_MS) return kept.credential
    running ??= renew().finally(() => {
      running = undefined
    })
    return running
  }
  return {
    credential,
    refuse() {
      kept = undefined
    },
  }
}

async function runPlugin(
  exec: KubeconfigExec,
  cluster: KubeconfigCluster,
  folder: string,
): Promise<z.infer<typeof ExecCredential>["status"]> {
  // As kubectl: a bare name is looked up on the PATH, a path counts from the kubeconfig's folder.
  const command =
    exec.command.includes("/") && !isAbsolute(exec.command) ? resolve(folder, exec.command) : exec.command
  const spec = { interactive: false, ...(exec.provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}) }
  const info = { apiVersion: exec.apiVersion, kind: "ExecCredential", spec }
  const extra = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]))
  try {
    const { stdout } = await run(command, exec.args ?? [], {
      env: { ...process.env, ...extra, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      timeout: TIME_LIMIT_MS,
      maxBuffer: OUTPUT_LIMIT_BYTES,
    })
    return ExecCredential.parse(JSON.parse(stdout)).status
  } catch (error) {
    throw failed(exec.command, error)
  }
}

/** Never the plugin's output: it may hold the token. */
function failed(command: string, error: unknown): KubeError {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown }
  const why =
    typeof stderr === "string" && stderr ? stderr.trim().slice(0, 500) : "its answer is not an ExecCredential"
  const message = `the credential plugin ${command} failed (${String(code ?? "no exit code")}): ${why}`
  return new KubeError("kube/unauthorized", message, { hint: "Run the plugin by hand to see what it lacks." })
}

function clusterInfo(cluster: KubeconfigCluster): object {
  return {
    server: cluster.server,
    "certificate-authority-data": cluster["certificate-authority-data"],
    "tls-server-name": cluster["tls-server-name"],
    "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
  }
}
