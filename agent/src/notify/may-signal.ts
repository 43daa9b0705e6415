import { readFile, readlink, stat } from "node:fs/promises"

/** The pid namespace that the kernel began with: include/linux/proc_ns.h, PROC_PID_INIT_INO. */
const FIRST_NAMESPACE = "pid:[4026531836]"

/**
 * True when all processes that this one sees are of its own Pod or container: it is in a pid namespace of its own, not in
 * the node's (pid_namespaces(7)).
 */
export async function seesOwnPodOnly(): Promise<boolean> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => FIRST_NAMESPACE)
  return namespace !== FIRST_NAMESPACE
}

/**
 * True when a process is one that this agent can signal without doing another user a service: any in a Pod's own pid
 * namespace, on a node one of the agent's own user or one that the agent has started. Root could signal all of them.
 */
export async function maySignal(pid: number, isOwnPod: boolean): Promise<boolean> {
  return isOwnPod || (await userOf(pid)) === process.geteuid?.() || (await isOfOwnTree(pid))
}

/** The user of a process; undefined where there is none, or no /proc. */
export async function userOf(pid: number): Promise<number | undefined> {
  return stat(`/proc/${pid}`).then(
    ({ uid }) => uid,
    () => undefined,
  )
}

async function isOfOwnTree(pid: number): Promise<boolean> {
  for (let parent = await parentOf(pid); parent > 1; parent = await parentOf(parent)) {
    if (parent === process.pid) return true
  }
  return false
}

/** 0 for a process that is not there. */
async function parentOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")
  return Number(/^PPid:\s+(\d+)$/m.exec(text)?.[1] ?? 0)
}
