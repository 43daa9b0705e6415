import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { until } from "../harness/until.ts"

const run = promisify(execFile)
const START_MS = 900_000

/** A real one-node cluster on this machine's loopback. */
export interface KubeNode {
  kubeconfig: string
  /** Its folder. */
  folder: string
  /** The node's address and name. */
  ip: string
  /** Makes an image of a root file system in a folder, and gives it to the node. */
  image(name: string, root: string, ...entrypoint: string[]): Promise<void>
  /** The processes of a Pod's containers whose command line holds a text. */
  processesOf(podUid: string, text: string): Promise<number[]>
  /** Ends kubelet, containerd and every container by SIGKILL; gives what starts the node again. */
  crash(): Promise<() => Promise<void>>
  /** Suspends the API server, as if it could not be reached; gives what lets it go on. */
  suspendApiServer(): Promise<() => void>
  stop(): Promise<void>
}

/** Why there is no node to test on; undefined: there is one. */
export function kubeNodeMissing(): string | undefined {
  const program = process.env.HEADRACE_KUBE_NODE
  if (!program) return "HEADRACE_KUBE_NODE names no program that starts a node"
  if (!existsSync(program)) return `HEADRACE_KUBE_NODE (${program}) is not there`
  return process.getuid?.() === 0 ? undefined : "only root can start a node"
}

/** Starts a node with the program that HEADRACE_KUBE_NODE names; the kubelet has its default settings. */
export async function startKubeNode(): Promise<KubeNode> {
  const program = process.env.HEADRACE_KUBE_NODE ?? ""
  const folder = process.env.KUBE_NODE_DIR ?? (await mkdtemp(join(tmpdir(), "headrace-node-")))
  const env = { ...process.env, KUBE_NODE_DIR: folder }
  if (!existsSync(join(folder, "run/settings"))) await run(program, ["start"], { env, timeout: START_MS })
  const settings = await readFile(join(folder, "run/settings"), "utf8")
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(settings)?.[1] ?? ""
  const pidFile = join(folder, "run/node.pid")
  return {
    kubeconfig: join(folder, "admin.kubeconfig"),
    folder,
    ip: setting("ip"),
    async image(name, root, ...entrypoint) {
      await run(program, ["image", name, root, ...entrypoint], { env, maxBuffer: 2 ** 26 })
    },
    processesOf,
    async crash() {
      process.kill(Number(await readFile(pidFile, "utf8")), "SIGKILL")
      await until(async () => (await processesIn(setting("cgroup"))).length === 0, 30_000)
      return async () => {
        const log = await open(join(folder, "log/node.log"), "a")
        const flags = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave"]
        const child = spawn("unshare", [...flags, program, "inside", folder], {
          detached: true,
          stdio: ["ignore", log.fd, log.fd],
          env,
        })
        child.unref()
        await log.close()
        await writeFile(pidFile, `${child.pid}\n`)
      }
    },
    async suspendApiServer() {
      const pid = Number(await readFile(join(folder, "run/kube-apiserver.pid"), "utf8"))
      process.kill(pid, "SIGSTOP")
      return () => void process.kill(pid, "SIGCONT")
    },
    async stop() {
      await run(program, ["stop"], { env })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function processesOf(podUid: string, text: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of await processesIn(podUid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
    if (command.replaceAll("\0", " ").includes(text)) found.push(pid)
  }
  return found
}

/** The processes whose cgroups name a text. */
async function processesIn(cgroup: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const cgroups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "")
    if (cgroups.includes(cgroup)) found.push(Number(pid))
  }
  return found
}
