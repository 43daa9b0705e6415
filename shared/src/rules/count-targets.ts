import type { Position } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import type { ConfigUpdater, MapSpec } from "./config-updater.ts"

/** The rule whose targets are more than the others leave room for, before any of them is made. */
export function tooManyTargets(
  order: readonly { glob: string; position: Position }[],
  maps: ReadonlyMap<string, MapSpec | null | undefined>,
  updater: ConfigUpdater,
  most: number,
): Problem | undefined {
  let count = 0
  for (const { glob, position } of order) {
    const own = countTargets(maps.get(glob) ?? {}, updater)
    count += own
    if (count <= most) continue
    const message = `rule ${JSON.stringify(glob)} names ${own} ConfigMaps, ${count} with those before it, and bounds.targets is ${most}`
    const hint =
      "Name fewer partitions, clusters or namespaces, or raise bounds.targets in the operator's settings."
    return { severity: "error", code: "rules/too-many-targets", message, hint, ...position }
  }
  return undefined
}

/**
 * How many ConfigMaps a rule names at most: its names times its places, as they are written and without making any of
 * them. A place that is named twice counts twice. A few hundred lines can name millions.
 */
function countTargets(spec: MapSpec, { cluster_groups: known }: ConfigUpdater): number {
  const names = Math.max(1, spec.partitioned_names?.length ?? 0)
  return names * countPlaces(spec, known ?? {})
}

function countPlaces(spec: MapSpec, known: NonNullable<ConfigUpdater["cluster_groups"]>): number {
  let places = spec.additional_namespaces?.length ?? 0
  for (const namespaces of Object.values(spec.clusters ?? {})) places += namespaces?.length ?? 0
  for (const name of spec.cluster_groups ?? []) {
    const group = Object.hasOwn(known, name) ? known[name] : undefined
    places += (group?.clusters?.length ?? 0) * (group?.namespaces?.length ?? 0)
  }
  return Math.max(1, places)
}
