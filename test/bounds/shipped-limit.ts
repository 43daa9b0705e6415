import { readFileSync } from "node:fs"
import { join } from "node:path"
import { readBytes } from "@headrace/shared/foundation/read-units"
import { loadAll } from "js-yaml"

const BASE = join(import.meta.dirname, "../../config/base")

interface Workload {
  spec?: { template?: { spec?: { containers?: { resources?: { limits?: { memory?: string } } }[] } } }
}

/** Bytes of memory that the manifest of a program allows its container, as it is shipped. */
export function shippedLimit(manifest: "plugin/deployment.yaml" | "agent/daemonset.yaml"): number {
  const documents = loadAll(readFileSync(join(BASE, manifest), "utf8")) as Workload[]
  const limits = documents.flatMap(({ spec }) => spec?.template?.spec?.containers ?? [])
  const [limit] = limits.flatMap(({ resources }) => resources?.limits?.memory ?? [])
  const bytes = limit === undefined ? undefined : readBytes(limit)
  if (bytes === undefined) throw new Error(`${manifest} has no memory limit`)
  return bytes
}
