import { gzipSync } from "node:zlib"
import { CONFIG_MAP_LIMIT_BYTES } from "@headrace/shared/foundation/config-map"
import type { Problem } from "@headrace/shared/foundation/problem"
import type { TargetId } from "@headrace/shared/foundation/target"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import { VERSION_BYTES } from "@headrace/shared/plan/judge-keys"
import type { Plan, PlannedKey } from "@headrace/shared/plan/plan"

/** How full a ConfigMap is at this commit. */
export interface TargetFill {
  target: TargetId
  keys: number
  /** Sum of the values, compressed where they will be, with VERSION. */
  bytes: number
  /** What is left of 1 MiB; negative when it does not fit. */
  left: number
}

const NEARLY_FULL = 0.9

/** Measures every named ConfigMap of a plan, compressing what will be compressed. Reads each file once. */
export async function measureTargets(
  plan: Plan,
  read: (file: TreeFile) => Promise<Buffer>,
): Promise<TargetFill[]> {
  const compressed = new Map<string, number>()
  async function sizeOf({ file, gzip }: PlannedKey): Promise<number> {
    if (!gzip) return file.size
    const known = compressed.get(file.oid)
    if (known !== undefined) return known
    const size = gzipSync(await read(file)).length
    compressed.set(file.oid, size)
    return size
  }
  const sizes: TargetFill[] = []
  for (const { target, keys, view } of plan.targets) {
    if (!view) continue
    let bytes = VERSION_BYTES
    for (const planned of keys) bytes += await sizeOf(planned)
    sizes.push({ target, keys: keys.length, bytes, left: CONFIG_MAP_LIMIT_BYTES - bytes })
  }
  return sizes
}

/** Compressed ConfigMaps that do not fit, and those that will soon be full. */
export function sizeProblems(sizes: readonly TargetFill[]): Problem[] {
  return sizes.flatMap(({ target, bytes, left }): Problem[] => {
    const hint = 'Spread it over "partitioned_names", or set "view: false" for agents alone.'
    if (left < 0) {
      const message = `ConfigMap "${target.name}" holds ${bytes} bytes, ${-left} more than fit`
      return [{ severity: "error", code: "plan/too-large", message, hint, target }]
    }
    if (bytes < CONFIG_MAP_LIMIT_BYTES * NEARLY_FULL) return []
    const message = `ConfigMap "${target.name}" is nearly full: ${left} bytes are left of 1 MiB`
    return [{ severity: "warning", code: "plan/nearly-full", message, hint, target }]
  })
}
