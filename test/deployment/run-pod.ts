import { spawn } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { rawRequest } from "../contract/raw-request.ts"
import type { RealKube } from "../harness/real-kube.ts"
import { makeVolume, type Volume } from "./pod-volumes.ts"

const ROOT = join(import.meta.dirname, "../..")
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
/** What a container sees of this machine: its programs, read-only. */
const SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ssl"]
const SYSTEM_FILES = ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf"]

interface SecurityContext {
  runAsUser?: number
  runAsGroup?: number
  fsGroup?: number
  readOnlyRootFilesystem?: boolean
  allowPrivilegeEscalation?: boolean
  capabilities?: { drop?: string[]; add?: string[] }
}

export interface Container {
  name: string
  image: string
  args?: string[]
  env?: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[]
  securityContext?: SecurityContext
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
}

export interface PodSpec {
  serviceAccountName: string
  securityContext?: SecurityContext
  containers: Container[]
  initContainers?: Container[]
  volumes: Volume[]
}

/** A Pod of a manifest whose containers run on this machine. */
export interface LocalPod {
  /** Where a volume is. */
  volume(name: string): string
  /** Runs the named container; `program` and `args` in place of its own, as `kubectl exec` does. */
  start(container: string, run?: { program?: string; args?: string[] }): Running
}

export interface Running {
  output(): string
  /** Its exit code; null when a signal ended it. */
  ended: Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

export interface PodOptions {
  kube: RealKube
  namespace: string
  name: string
  spec: PodSpec
  /** A folder of its own. */
  folder: string
  /** Kills its containers when it aborts: a test that failed leaves none behind. */
  signal: AbortSignal
  /** Changes arguments: the ports of a manifest may be taken on this machine. */
  argument?: (text: string) => string
}

/** Why Pods cannot be run here; undefined: they can. */
export function localPodsMissing(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "only root can make the mounts and users of a Pod"
}

/**
 * Prepares a Pod as the kubelet would: a token of exactly its ServiceAccount, its volumes at their paths, its user,
 * groups and capabilities, its root file system as it says. The containers share this machine's network, and run the
 * programs from their sources.
 */
export async function preparePod(options: PodOptions): Promise<LocalPod> {
  const { kube, namespace, name, spec, folder, signal } = options
  const volume = (of: string) => join(folder, "volumes", of)
  for (const each of spec.volumes) await makeVolume(kube, namespace, each, volume(each.name))
  const account = join(folder, "account")
  await writeAccount(kube, namespace, spec.serviceAccountName, account)
  const { hostname, port } = new URL(kube.url)
  const facts: Record<string, string> = {
    "spec.nodeName": "node-1",
    "metadata.name": name,
    "metadata.uid": "00000000-0000-0000-0000-000000000001",
    "metadata.namespace": namespace,
  }
  return {
    volume,
    start(of, { program, args } = {}) {
      const container = [...(spec.initContainers ?? []), ...spec.containers].find((one) => one.name === of)
      if (!container) throw new Error(`${name} has no container ${of}`)
      const mounts = (container.volumeMounts ?? []).map(({ name: from, mountPath, readOnly = false }) => ({
        from: volume(from),
        to: mountPath,
        readOnly,
      }))
      const env = Object.fromEntries(
        (container.env ?? []).map((one) => [
          one.name,
          one.value ?? facts[one.valueFrom?.fieldRef.fieldPath ?? ""] ?? "",
        ]),
      )
      const context = { ...spec.securityContext, ...container.securityContext }
      const main = program ?? /headrace\/(\w+):/.exec(container.image)?.[1] ?? ""
      const own = (container.args ?? []).map(options.argument ?? ((text) => text))
      return runContainer({
        root: join(folder, `root-${of}`),
        mounts: [...mounts, { from: account, to: ACCOUNT, readOnly: true }],
        env: { ...env, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        context,
        signal,
        command: [
          join(ROOT, "node_modules/node/bin/node"),
          "--conditions=source",
          "--no-warnings",
          join(ROOT, main, "src/main.ts"),
          ...(args ?? own),
        ],
      })
    },
  }
}

async function writeAccount(kube: RealKube, namespace: string, name: string, to: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }
  const { status, body } = await rawRequest(kube, "POST", path, request)
  if (status !== 201) throw new Error(`no token for ${namespace}/${name}: ${status}`)
  await mkdir(to, { recursive: true })
  const { token } = body.status as { token: string }
  await writeFile(join(to, "token"), token, { mode: 0o644 })
  await writeFile(
    join(to, "ca.crt"),
    await readFile(join(dirname(kube.kubeconfigFile), "certs/apiserver.crt")),
  )
}

interface ContainerRun {
  root: string
  mounts: { from: string; to: string; readOnly: boolean }[]
  env: Record<string, string>
  context: SecurityContext
  signal: AbortSignal
  command: string[]
}

/** In mounts of its own, below a root of its own (unshare(1), chroot(1)), as the user and with the rights that it has. */
function runContainer(run: ContainerRun): Running {
  const child = spawn(
    "unshare",
    ["--mount", "--propagation=private", "sh", "-euc", script(run), "sh", ...run.command],
    {
      stdio: ["ignore", "pipe", "pipe"],
      signal: run.signal,
      killSignal: "SIGKILL",
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/", ...run.env },
    },
  )
  // That the signal ended it.
  child.on("error", () => undefined)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)))
  return { output: () => output, ended, kill: (signal) => child.kill(signal) }
}

/** The shell's script: each step replaces it by the next, so that a signal to the child is one to the program. */
function script({ root, mounts, context }: ContainerRun): string {
  const { runAsUser = 0, runAsGroup = runAsUser, fsGroup, readOnlyRootFilesystem = false } = context
  const groups = fsGroup === undefined ? "--clear-groups" : `--groups=${fsGroup}`
  const added = (context.capabilities?.add ?? []).map((name) => `+${name.toLowerCase()}`)
  const dropped = context.capabilities?.drop?.includes("ALL") ? "-all" : "+all"
  const bounds = [dropped, ...added].join(",")
  return [
    `mkdir -p ${root}`,
    `mount -t tmpfs -o mode=755 tmpfs ${root}`,
    `mkdir -p ${root}/etc ${root}/proc ${root}/dev`,
    ...SYSTEM_FOLDERS.map((folder) => `[ ! -e ${folder} ] || ${bind(folder, root + folder, true)}`),
    ...SYSTEM_FILES.map((file) => `[ ! -e ${file} ] || cp ${file} ${root}${file}`),
    `mount --rbind /proc ${root}/proc`,
    `mount --rbind /dev ${root}/dev`,
    bind(ROOT, root + ROOT, true),
    ...mounts.map(({ from, to, readOnly }) => bind(from, root + to, readOnly)),
    ...(readOnlyRootFilesystem ? [`mount -o remount,bind,ro ${root}`] : []),
    `cd ${root}`,
    `exec chroot ${root} setpriv --reuid=${runAsUser} --regid=${runAsGroup} ${groups} --inh-caps=-all --bounding-set=${bounds} ${context.allowPrivilegeEscalation === false ? "--no-new-privs" : ""} "$@"`,
  ].join("\n")
}

function bind(from: string, to: string, readOnly: boolean): string {
  const mount = `{ mkdir -p ${to} && mount --bind ${from} ${to}`
  return readOnly ? `${mount} && mount -o remount,bind,ro ${to}; }` : `${mount}; }`
}
