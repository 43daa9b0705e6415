import { execFile, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { loadAll } from "js-yaml"

const run = promisify(execFile)
const CONFIG = join(import.meta.dirname, "../../config")

/** An object of Kubernetes as a manifest has it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> }
  [field: string]: unknown
}

/** The kubectl beside the API server's programs (KUBEBUILDER_ASSETS), or else the one of PATH. */
export function kubectlProgram(): string {
  const beside = join(process.env.KUBEBUILDER_ASSETS ?? "", "kubectl")
  return process.env.KUBEBUILDER_ASSETS && existsSync(beside) ? beside : "kubectl"
}

/** Why nothing can be built here; undefined: it can. */
export function kubectlMissing(): string | undefined {
  const { status } = spawnSync(kubectlProgram(), ["version", "--client"])
  return status === 0 ? undefined : "there is no kubectl"
}

/** The objects that `kubectl kustomize` makes of a folder of config/. */
export async function buildManifests(folder: string): Promise<Manifest[]> {
  const { stdout } = await run(kubectlProgram(), ["kustomize", join(CONFIG, folder)], { maxBuffer: 2 ** 26 })
  return loadAll(stdout) as Manifest[]
}
