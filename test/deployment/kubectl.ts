import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { promisify } from "node:util"
import { kubectlProgram, type Manifest } from "./build-manifests.ts"

const run = promisify(execFile)

/** Runs kubectl; gives what it printed. Throws with what it printed on standard error. */
export async function kubectl(kubeconfig: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(kubectlProgram(), ["--kubeconfig", kubeconfig, ...args], {
    maxBuffer: 2 ** 26,
  })
  return stdout
}

/** `kubectl apply --server-side`, which refuses fields that the server does not know. Throws with what it printed. */
export async function applyManifests(
  kubeconfig: string,
  manifests: readonly Manifest[],
  flags: readonly string[] = [],
): Promise<void> {
  const args = [
    "--kubeconfig",
    kubeconfig,
    "apply",
    "--server-side",
    "--force-conflicts",
    ...flags,
    "-f",
    "-",
  ]
  const child = spawn(kubectlProgram(), args, { stdio: ["pipe", "ignore", "pipe"] })
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text
  })
  child.stdin.end(JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(errors)
}

/** A Secret of the programs. */
export function programSecret(name: string, key: string, value: string): Manifest {
  const metadata = { name, namespace: "headrace" }
  return { apiVersion: "v1", kind: "Secret", metadata, stringData: { [key]: value } }
}
