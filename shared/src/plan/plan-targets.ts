import type { Problem } from "../foundation/problem.ts"
import { compareSorted } from "../foundation/sorted-list.ts"
import type { Tree, TreeFile } from "../foundation/tree.ts"
import type { RuleSet } from "../rules/rule.ts"
import { assignChanges } from "./assign-changes.ts"
import { type BrokenFiles, brokenFiles, NOTHING_BROKEN } from "./broken-files.ts"
import { type Claim, type CompiledRules, type Content, compileRules } from "./compile-rules.ts"
import { editKeys, type GivenKeys, NO_KEYS } from "./given-keys.ts"
import { type JudgedContent, type JudgeLimits, judgeContent } from "./judge-content.ts"
import type { Objection } from "./judge-place.ts"
import { isClosedByDefault } from "./open-namespaces.ts"
import type { Plan, PlannedTarget } from "./plan.ts"
import type { PlanContext } from "./plan-context.ts"

/** The plan of a tree, with what the plan of the next tree is made from. It never changes. */
export interface TreePlan {
  readonly rules: CompiledRules
  readonly tree: Tree
  readonly contents: ReadonlyMap<Content, { given: GivenKeys; judged: JudgedContent }>
  readonly broken: BrokenFiles
  /** In the order of the rules' claims. */
  readonly outcomes: readonly Outcome[]
  readonly plan: Plan
}

/** What becomes of one claimed target. */
interface Outcome {
  judged: JudgedContent
  isBroken: boolean
  /** Undefined: it has an error. */
  planned: PlannedTarget | undefined
  problems: readonly Problem[]
}

/**
 * What every target holds at a commit: a function of rules, tree and context alone.
 *
 * Only rules that the repository may feed exist for it. A file belongs to the first rule that matches it, a
 * key to one partition. A target that no file goes to stays planned, empty; one with an error among the
 * problems is left out, and the others carry on.
 */
export function planTargets(rules: RuleSet, tree: Tree, context: PlanContext): Plan {
  return planTree(emptyPlan(rules, context), tree).plan
}

/** Where no settings are given: what a plan holds is a question of the rules alone. */
const UNBOUNDED = { file: Number.POSITIVE_INFINITY, target: Number.POSITIVE_INFINITY }
const EMPTY_TREE: Tree = { files: [], problems: [] }

/** The plan of a tree without files: each plan under these rules is made from it, or from another that was. */
export function emptyPlan(rules: RuleSet, context: PlanContext): TreePlan {
  const compiled = compileRules(rules, context)
  const limits = limitsOf(context)
  const contents = compiled.contents.map((content) => {
    return [content, { given: NO_KEYS, judged: judgeContent(content, NO_KEYS, limits) }] as const
  })
  return withOutcomes(compiled, EMPTY_TREE, new Map(contents), NOTHING_BROKEN, [])
}

/**
 * The plan of a tree from the plan of any other under the same rules. It costs as much as the two trees differ, and is the
 * same whichever other it is made from: what it shares with that one is shared as one object.
 */
export function planTree(from: TreePlan, tree: Tree): TreePlan {
  const { rules } = from
  const contents = new Map(from.contents)
  const changes = compareSorted(from.tree.files, tree.files, ({ path }) => path, isSameFile)
  for (const [content, edits] of assignChanges(rules, changes)) {
    const given = editKeys(from.contents.get(content)?.given ?? NO_KEYS, edits)
    contents.set(content, { given, judged: judgeContent(content, given, limitsOf(rules.context)) })
  }
  return withOutcomes(rules, tree, contents, brokenFiles(rules, tree.problems, from.broken), from.outcomes)
}

function limitsOf({ strict = false, bounds }: PlanContext): JudgeLimits {
  return { strict, bounds: bounds ?? UNBOUNDED }
}

function withOutcomes(
  rules: CompiledRules,
  tree: Tree,
  contents: TreePlan["contents"],
  broken: BrokenFiles,
  before: readonly Outcome[],
): TreePlan {
  const outcomes = rules.claims.flatMap((claim, index) => {
    const judged = contents.get(claim.content)?.judged
    const isBroken = broken.targets.has(claim.text)
    const was = before[index]
    if (judged === undefined) return []
    return was?.judged === judged && was.isBroken === isBroken
      ? was
      : outcomeOf(rules, claim, judged, isBroken)
  })
  const plan = {
    targets: outcomes.flatMap(({ planned }) => planned ?? []),
    problems: [
      ...unknownRepository(rules),
      ...broken.problems,
      ...outcomes.flatMap(({ problems }) => problems),
    ],
  }
  return { rules, tree, contents, broken, outcomes, plan }
}

function outcomeOf(
  { rules, context }: CompiledRules,
  { target, content, objection }: Claim,
  judged: JudgedContent,
  isBroken: boolean,
): Outcome {
  const errors = objection ? [objection, ...judged.errors] : judged.errors
  const [first] = content.givers
  const where = { target, file: rules.file, ...(first && { line: first.line, column: first.column }) }
  const isPlanned = errors.length === 0 && !isBroken
  const closed = isClosedByDefault(target, context) ? { closed: true as const } : {}
  return {
    judged,
    isBroken,
    planned: isPlanned ? { target, view: judged.view, keys: judged.keys, ...closed } : undefined,
    problems: [
      ...errors.map((error) => asProblem("error", error, where)),
      ...judged.warnings.map((warning) => asProblem("warning", warning, where)),
    ],
  }
}

function isSameFile(one: TreeFile, other: TreeFile): boolean {
  return (
    one.oid === other.oid &&
    one.size === other.size &&
    one.executable === other.executable &&
    one.real === other.real
  )
}

function asProblem(
  severity: Problem["severity"],
  objection: Objection,
  where: Omit<Problem, "severity" | "code" | "message">,
): Problem {
  return { severity, ...objection, ...where }
}

/** Prow's bootstrapper silently skips such rules, and their ConfigMaps go stale for good (B3). */
function unknownRepository({ rules, context }: CompiledRules): Problem[] {
  if (context.repo) return []
  return rules.rules
    .filter((rule) => rule.allowedRepos.length > 0)
    .map((rule) => ({
      severity: "warning",
      code: "plan/unknown-repository",
      message: `rule ${JSON.stringify(rule.glob)} is left out: it is for ${rule.allowedRepos.join(", ")} alone, and the repository is not known`,
      hint: "Say which repository this is (--repo ORG/NAME).",
      file: rules.file,
      line: rule.line,
      column: rule.column,
    }))
}
