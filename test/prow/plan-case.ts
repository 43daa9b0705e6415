import { compareText } from "@headrace/shared/foundation/canonical-json"
import { type Problem, problemText } from "@headrace/shared/foundation/problem"
import { targetText } from "@headrace/shared/foundation/target"
import type { Tree, TreeProblem } from "@headrace/shared/foundation/tree"
import { type FileChange, touchedPaths } from "@headrace/shared/plan/file-change"
import type { Plan, PlannedKey } from "@headrace/shared/plan/plan"
import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { touchedKeys } from "@headrace/shared/plan/touched-keys"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import type { RuleSet } from "@headrace/shared/rules/rule"

/** `cluster/namespace/name` to key to `path`, `path (gzip)` or null. */
export type Shown = Record<string, Record<string, string | null>>

/** One named case: rules and files in, ConfigMaps and codes of problems out. */
export interface PlanCase {
  name: string
  /** The content of `config_updater:`. */
  rules: string
  /** Paths, or path to size. */
  files: readonly string[] | Readonly<Record<string, number>>
  context?: Partial<PlanContext>
  treeProblems?: readonly TreeProblem[]
  expect: Shown
  /** Codes of the plan's problems, each once, sorted. */
  problems?: readonly string[]
}

export interface ChangeCase extends PlanCase {
  changes: readonly FileChange[]
}

const SIZE = 10

/** Rules from the content of `config_updater:`. Throws their problems when there are errors. */
export function rulesOf(body: string): RuleSet {
  const indented = body.replaceAll(/^(?=.)/gm, "  ")
  const { rules, problems } = parseRules(`config_updater:\n${indented}\n`, "plugins.yaml")
  if (!rules) throw new Error(problems.map(problemText).join("\n"))
  return rules
}

export function treeOf(files: PlanCase["files"], problems: readonly TreeProblem[] = []): Tree {
  const sizes = Array.isArray(files) ? files.map((path) => [path, SIZE] as const) : Object.entries(files)
  return {
    files: sizes
      .map(([path, size]) => ({ path, oid: `blob of ${path}`, size, executable: false }))
      .sort((a, b) => compareText(a.path, b.path)),
    problems,
  }
}

export function planCase(given: PlanCase): Plan {
  return planTargets(rulesOf(given.rules), treeOf(given.files, given.treeProblems), contextOf(given))
}

/** Only what the changes touch. */
export function touchedCase(given: ChangeCase): Shown {
  const touched = touchedKeys(
    rulesOf(given.rules),
    planCase(given),
    touchedPaths(given.changes),
    contextOf(given),
  )
  return Object.fromEntries(
    touched.map(({ target, keys }) => [
      targetText(target),
      Object.fromEntries([...keys].map(([key, planned]) => [key, showKey(planned)])),
    ]),
  )
}

export function shown(plan: Plan): Shown {
  return Object.fromEntries(
    plan.targets.map(({ target, keys }) => [
      targetText(target),
      Object.fromEntries(keys.map((planned) => [planned.key, showKey(planned)])),
    ]),
  )
}

export function codesOf(problems: readonly Problem[]): string[] {
  return [...new Set(problems.map((problem) => problem.code))].sort()
}

function contextOf(given: PlanCase): PlanContext {
  return { defaults: { cluster: "default", namespace: "default" }, ...given.context }
}

function showKey(planned: PlannedKey | undefined): string | null {
  if (!planned) return null
  return planned.gzip ? `${planned.file.path} (gzip)` : planned.file.path
}
