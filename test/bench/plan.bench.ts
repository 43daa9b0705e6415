import { compileGlob } from "@headrace/shared/foundation/compile-glob"
import type { Tree } from "@headrace/shared/foundation/tree"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import type { RuleSet } from "@headrace/shared/rules/rule"
import { quantile } from "./quantile.ts"

const PATHS = 100_000
const RULES = 300
const RUNS = 5

/** 100,000 paths against 300 rules: planned with the index, and matched by plain minimatch over all pairs. */
export async function run(): Promise<Record<string, number>> {
  const rules = manyRules()
  const tree = manyFiles()
  const plans = Array.from({ length: RUNS }, () => milliseconds(() => planned(rules, tree)))
  return {
    plan_100k_paths_300_rules_p50_ms: quantile(plans, 0.5),
    plan_100k_paths_300_rules_max_ms: quantile(plans, 1),
    minimatch_all_pairs_100k_x_300_ms: milliseconds(() => matchAllPairs(rules, tree)),
  }
}

/** Rules as a large organisation has them: most name a folder, some end in a wide glob, a few overlap. */
export function manyRules(): RuleSet {
  const entries = Array.from({ length: RULES }, (_, index) => {
    const folder = `ci-operator/config/org-${index % 250}`
    const glob = index < 250 ? `${folder}/**/*.yaml` : `ci-operator/**/*-release-4.${index - 250}*.yaml`
    return `    "${glob}": {partitioned_names: [c${index}-0, c${index}-1, c${index}-2], use_full_path_as_key: true, gzip: true, clusters: {app: [ci], build01: [ci]}}`
  })
  const { rules } = parseRules(`config_updater:\n  maps:\n${entries.join("\n")}\n`, "plugins.yaml")
  if (!rules) throw new Error("the rules of the bench do not parse")
  return rules
}

export function manyFiles(): Tree {
  const files = Array.from({ length: PATHS }, (_, index) => {
    const repo = `ci-operator/config/org-${index % 500}/repo-${index % 97}`
    return {
      path: `${repo}/file-${String(index).padStart(6, "0")}-release-4.${index % 60}.yaml`,
      oid: String(index),
      size: 1000,
      executable: false,
    }
  })
  return { files, problems: [] }
}

function planned(rules: RuleSet, tree: Tree): void {
  const plan = planTargets(rules, tree, { defaults: { cluster: "default", namespace: "default" } })
  const keys = plan.targets.reduce((sum, target) => sum + target.keys.length, 0)
  if (keys < PATHS) throw new Error(`only ${keys} keys were planned: ${plan.problems[0]?.message}`)
}

function matchAllPairs(rules: RuleSet, tree: Tree): void {
  const globs = rules.rules.map((rule) => compileGlob(rule.glob))
  let matches = 0
  for (const file of tree.files) for (const glob of globs) if (glob.match(file.path)) matches += 1
  if (matches === 0) throw new Error("nothing matched")
}

function milliseconds(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}
