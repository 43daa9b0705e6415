import { compileGlob } from "../foundation/compile-glob.ts"
import type { LocatedYaml, Position } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import { accessListProblems } from "./access-list.ts"
import type { ConfigUpdater, MapSpec } from "./config-updater.ts"
import { resolvePlaces } from "./resolve-places.ts"
import type { Rule } from "./rule.ts"
import { type RuleContext, ruleError } from "./rule-context.ts"

/** `sha256(key)[0]` is a byte, so a 257th name would never be chosen. */
const PARTITIONS_LIMIT = 256

/** One entry of `maps` with groups resolved and defaults applied, and what is wrong with it. */
export function resolveRule(
  glob: string,
  spec: MapSpec,
  updater: ConfigUpdater,
  place: { yaml: LocatedYaml; position: Position },
): { rule: Rule; problems: Problem[] } {
  const context: RuleContext = { glob, spec, updater, yaml: place.yaml }
  const { places, problems: placeProblems } = resolvePlaces(context)
  const partitions = spec.partitioned_names ?? []
  const rule: Rule = {
    glob,
    names: partitions.length > 0 ? partitions : [spec.name ?? ""],
    partitioned: partitions.length > 0,
    key: spec.key || undefined,
    useFullPathAsKey: spec.use_full_path_as_key ?? false,
    gzip: spec.gzip ?? updater.gzip ?? false,
    places,
    allowedRepos: spec.allowed_repos ?? [],
    deniedRepos: spec.denied_repos ?? [],
    view: spec.view ?? true,
    ...place.position,
  }
  const problems = [...globProblems(context), ...nameProblems(context), ...placeProblems]
  return { rule, problems: [...problems, ...accessListProblems(context)] }
}

function globProblems(context: RuleContext): Problem[] {
  try {
    compileGlob(context.glob)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [ruleError(context, [], "rules/wrong-glob", `the glob cannot be used: ${reason}`)]
  }
}

function nameProblems(context: RuleContext): Problem[] {
  const { name, partitioned_names: partitions } = context.spec
  const count = partitions?.length ?? 0
  if (name && count > 0) {
    return [
      ruleError(
        context,
        ["partitioned_names"],
        "rules/name-and-partitions",
        '"name" and "partitioned_names" exclude each other',
        "Keep one of them.",
      ),
    ]
  }
  if (count > PARTITIONS_LIMIT) {
    const message = `${count} partitions, but at most ${PARTITIONS_LIMIT} can be distinguished`
    return [ruleError(context, ["partitioned_names"], "rules/too-many-partitions", message)]
  }
  if (count > 0 && partitions?.includes("")) {
    return [ruleError(context, ["partitioned_names"], "rules/missing-name", "a partition has an empty name")]
  }
  if (name || count > 0) return []
  return [
    ruleError(
      context,
      [],
      "rules/missing-name",
      "the rule names no ConfigMap",
      'Add "name" or "partitioned_names".',
    ),
  ]
}
