import { type ChildProcess, spawn } from "node:child_process"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { open, readFile, rm, writeFile } from "node:fs/promises"
import { request } from "node:https"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { freePort } from "@headrace/config/local/free-port"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"

/** A kube-apiserver with an etcd of its own, on loopback. */
export interface RealKube {
  url: string
  token: string
  kubeconfigFile: string
  /** What it logged of each request, as JSON lines; with `audit` alone. */
  auditFile: string
  /** Ends kube-apiserver and starts it again on the same etcd: its watch history is gone. */
  restart(): Promise<void>
}

export interface RealKubeOptions {
  /** Log who did what, by which right. */
  audit?: boolean
}

const READY_LIMIT_MS = 300_000
/** How often kube-apiserver is started in a restart. */
const MOST_STARTS = 5

/** Why the real API server cannot be tested here, as one line to print; undefined when it can. */
export function realKubeMissing(): string | undefined {
  const folder = process.env.KUBEBUILDER_ASSETS
  if (!folder) return "KUBEBUILDER_ASSETS is not set: the real kube-apiserver was not tested"
  for (const name of ["etcd", "kube-apiserver"]) {
    if (!existsSync(join(folder, name))) {
      return `KUBEBUILDER_ASSETS (${folder}) holds no ${name}: the real kube-apiserver was not tested`
    }
  }
  return undefined
}

/** Runs a test with a real API server of its own, and ends it and etcd afterwards. */
export async function withRealKube<T>(
  test: (kube: RealKube) => Promise<T>,
  options: RealKubeOptions = {},
): Promise<T> {
  const { kube, close } = await startRealKube(options)
  try {
    return await test(kube)
  } finally {
    await close()
  }
}

/** Starts etcd and kube-apiserver; `close` ends both and removes their folder. */
export async function startRealKube({ audit = false }: RealKubeOptions = {}): Promise<{
  kube: RealKube
  close(): Promise<void>
}> {
  const missing = realKubeMissing()
  if (missing) throw new Error(missing)
  const folder = temporaryFolder("headrace-real-kube-")
  const running = new Map<string, ChildProcess>()
  async function close(): Promise<void> {
    await stop(running.get("kube-apiserver"))
    await stop(running.get("etcd"))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const token = await writeIdentity(folder)
    const etcd = await startEtcd(folder, running)
    const port = await freePort()
    const auditFile = join(folder, "audit.log")
    const auditFlags = audit ? await writeAuditPolicy(folder, auditFile) : []
    const serve = (): Promise<void> => startApiServer(folder, running, { etcd, port, token, auditFlags })
    await serve()
    const kubeconfigFile = await writeKubeconfig(folder, port, token)
    async function restart(): Promise<void> {
      await serveAgain(running, serve)
    }
    return { kube: { url: `https://127.0.0.1:${port}`, token, kubeconfigFile, auditFile, restart }, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The administrator's token, and the key that signs service accounts. */
async function writeIdentity(folder: string): Promise<string> {
  const token = randomBytes(16).toString("hex")
  await writeFile(join(folder, "tokens.csv"), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const pem = privateKey.export({ type: "pkcs1", format: "pem" })
  await writeFile(join(folder, "service-account.key"), pem, { mode: 0o600 })
  return token
}

/** Every request once, when it is answered, or when its watch begins; without bodies. */
async function writeAuditPolicy(folder: string, auditFile: string): Promise<string[]> {
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  }
  await writeFile(join(folder, "audit-policy.yaml"), JSON.stringify(policy))
  return [`--audit-policy-file=${join(folder, "audit-policy.yaml")}`, `--audit-log-path=${auditFile}`]
}

async function startEtcd(folder: string, running: Map<string, ChildProcess>): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peer = `http://127.0.0.1:${await freePort()}`
  await start("etcd", folder, running, [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // Tests have no use for durability, and fsync is what makes etcd slow.
    "--unsafe-no-fsync",
  ])
  return url
}

async function startApiServer(
  folder: string,
  running: Map<string, ChildProcess>,
  { etcd, port, token, auditFlags }: { etcd: string; port: number; token: string; auditFlags: string[] },
): Promise<void> {
  const key = join(folder, "service-account.key")
  const server = await start("kube-apiserver", folder, running, [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    // It makes itself a certificate here, and keeps it over a restart.
    `--cert-dir=${join(folder, "certs")}`,
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    ...auditFlags,
  ])
  await waitUntilReady(folder, port, token, server)
}

/**
 * Ends it and starts it, once more when it ends by itself, as the kubelet does: while thousands of clients come back, kube-apiserver may
 * be too late for its own deadline and give up (`PostStartHook … failed`).
 */
async function serveAgain(running: Map<string, ChildProcess>, serve: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    await stop(running.get("kube-apiserver"))
    try {
      return await serve()
    } catch (error) {
      if (tries === MOST_STARTS) throw error
    }
  }
}

async function start(
  name: string,
  folder: string,
  running: Map<string, ChildProcess>,
  flags: string[],
): Promise<ChildProcess> {
  const log = await open(join(folder, `${name}.log`), "a")
  const child = spawn(join(process.env.KUBEBUILDER_ASSETS ?? "", name), flags, {
    stdio: ["ignore", log.fd, log.fd],
  })
  endChildWithProcess(child)
  running.set(name, child)
  await once(child, "spawn")
  await log.close()
  return child
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  // Neither has anything to save; a graceful end of kube-apiserver waits for its watches.
  child.kill("SIGKILL")
  await ended
}

async function waitUntilReady(
  folder: string,
  port: number,
  token: string,
  server: ChildProcess,
): Promise<void> {
  const limit = Date.now() + READY_LIMIT_MS
  while (server.exitCode === null && Date.now() < limit) {
    if ((await statusOf(port, "/readyz", token)) === 200) return
    await delay(100)
  }
  const log = await readFile(join(folder, "kube-apiserver.log"), "utf8")
  throw new Error(`kube-apiserver did not become ready:\n${log.split("\n").slice(-20).join("\n")}`)
}

/** The status of one GET; 0 when nothing answers. The certificate is not looked at: it is made as we wait. */
async function statusOf(port: number, path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path,
    headers,
    rejectUnauthorized: false,
    agent: false,
  })
  outgoing.end()
  try {
    const [message] = await once(outgoing, "response")
    message.resume()
    return message.statusCode
  } catch {
    return 0
  }
}

async function writeKubeconfig(folder: string, port: number, token: string): Promise<string> {
  const file = join(folder, "kubeconfig")
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "real",
    clusters: [
      {
        name: "real",
        // Its own certificate's file ends with the authority that signed it.
        cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": "certs/apiserver.crt" },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "real", context: { cluster: "real", user: "admin" } }],
  }
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config), { mode: 0o600 })
  return file
}
