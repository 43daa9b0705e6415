import { realpath } from "node:fs/promises"
import { relative } from "node:path"
import { startProgress } from "@headrace/shared/command-line/progress"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import {
  type FolderInCheckout,
  type FoldersTree,
  type FolderTree,
  joinTrees,
  readFolderTree,
} from "@headrace/shared/git/read-folder-tree"
import { checkRules, claimedTwice } from "@headrace/shared/plan/check-rules"
import { comparePlans } from "@headrace/shared/plan/compare-plans"
import type { Plan } from "@headrace/shared/plan/plan"
import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { type ParsedRules, parseRules } from "@headrace/shared/rules/parse-rules"
import type { RuleSet } from "@headrace/shared/rules/rule"
import type { Gates } from "@headrace/shared/settings/gates"
import { contextOfFlags } from "../../cli/plan-context.ts"
import { readRules } from "../../cli/read-rules.ts"
import { closedProblems } from "./closed-namespaces.ts"
import { groupCollisions } from "./group-collisions.ts"
import { gatesOfFlags, judgeByGates } from "./judge-by-gates.ts"
import { type SignatureFlags, signatureProblems } from "./judge-signatures.ts"
import { measureTargets, sizeProblems } from "./measure-targets.ts"
import { type CommitTree, readMergeBase, readRemoteTree } from "./other-trees.ts"
import { type Report, reportGithub, reportJson, reportText } from "./report.ts"

export interface CheckOptions extends SignatureFlags {
  sourcePath?: string[]
  repo?: string
  ref?: string
  rules: string
  config?: string
  source?: string
  otherRules: string[]
  defaultCluster: string
  defaultNamespace: string
  strict: boolean
  prow: boolean
  output: "text" | "json" | "github"
}

const PRINT = { text: reportText, json: reportJson, github: reportGithub }

/** Checks and prints; gives the exit code: 1 for an error, with --strict for a warning too. */
export async function runCheck(options: CheckOptions, signal: AbortSignal): Promise<number> {
  const progress = startProgress("checking")
  progress.report(options.sourcePath ? "reading files and rules" : "fetching")
  const report = await (options.sourcePath
    ? checkSource(options.sourcePath, options, signal)
    : checkRemote(options, signal)
  ).finally(progress.end)
  process.stdout.write(PRINT[options.output](report))
  const counts = (problem: Problem) => problem.severity === "error" || options.strict
  return report.problems.some(counts) ? 1 : 0
}

/** What is wrong with rules and files, how full each ConfigMap is and, with a base, what changes. */
export async function checkSource(
  folders: readonly string[],
  options: CheckOptions,
  signal: AbortSignal,
): Promise<Report> {
  const gates = await gatesOfFlags(options)
  const files = await readFolderTree(folders, signal)
  try {
    const context = await contextOf(options)
    const parsed = await readRules(options.rules, folders, { fileAt: files.fileAt, bounds: context.bounds })
    const { plan, report: judged } = await checkTree(parsed, files, context, options)
    const unsigned = await signatureProblems(files.checkouts[0], options, signal)
    const report = { ...judged, problems: [...judged.problems, ...unsigned] }
    if (plan === undefined) return report
    if (options.base === undefined)
      return withMore(report, [
        ...closedWithoutBase(plan),
        ...(await judgeByGates(gates, files, undefined, signal)),
      ])
    return await changesSince(files, { ...plan, gates, report }, { ...options, base: options.base }, signal)
  } finally {
    await files.close()
  }
}

/** The same of a ref of a remote repository, its rules too. */
async function checkRemote(options: CheckOptions, signal: AbortSignal): Promise<Report> {
  if (options.repo === undefined) {
    throw new UsageError("check/no-source", "there is nothing to check", {
      hint: "Give --source-path DIR, or --repo URL and --ref REF.",
    })
  }
  const gates = await gatesOfFlags(options)
  const files = await readRemoteTree(options.repo, options.ref ?? "HEAD", signal)
  try {
    const text = await files.file(options.rules)
    if (text === undefined) {
      throw new UsageError("rules/not-found", `there are no rules ${options.rules} in ${options.repo}`, {
        hint: "Give the path of a plugins.yaml in the repository.",
      })
    }
    const context = await contextOf(options)
    const parsed = parseRules(text.toString("utf8"), options.rules, context.bounds)
    const { plan, report } = await checkTree(parsed, files, context, options)
    if (plan === undefined) return report
    const judged = await judgeByGates(gates, files, undefined, signal)
    return withMore(report, [...closedWithoutBase(plan), ...judged])
  } finally {
    await files.close()
  }
}

async function checkTree(
  parsed: ParsedRules,
  files: FolderTree,
  context: PlanContext,
  options: CheckOptions,
): Promise<{ plan: Planned | undefined; report: Report }> {
  const { rules } = parsed
  if (!rules) return { plan: undefined, report: { problems: parsed.problems, sizes: [], changes: undefined } }
  const plan = planTargets(rules, files.tree, context)
  const sizes = await measureTargets(plan, files.read)
  const problems = [
    ...parsed.problems,
    ...groupCollisions(plan.problems, options.prow),
    ...checkRules(rules, files.tree, context),
    ...claimedTwice(rules, await readOtherRules(options.otherRules), context),
    ...sizeProblems(sizes),
  ]
  return { plan: { plan, rules, context }, report: { problems, sizes, changes: undefined } }
}

/** A plan and what it was made of. */
interface Planned {
  plan: Plan
  rules: RuleSet
  context: PlanContext
}

function contextOf(options: CheckOptions): Promise<PlanContext> {
  return contextOfFlags({ ...options, repo: repositoryName(options.repo) })
}

/** ORG/NAME for access lists, out of a URL too. */
function repositoryName(repo: string | undefined): string | undefined {
  return /([^/:]+\/[^/]+?)(\.git)?\/?$/.exec(repo ?? "")?.[1]
}

async function readOtherRules(files: readonly string[]): Promise<RuleSet[]> {
  const parsed = await Promise.all(files.map((file) => readRules(file, [])))
  return parsed.map(({ rules }, index) => {
    if (rules) return rules
    throw new UsageError("check/other-rules", `the rules ${files[index]} have errors of their own`, {
      hint: "Check them by themselves first.",
    })
  })
}

/** Without a merge base nothing is known to be new. */
function closedWithoutBase({ plan, rules, context }: Planned): Problem[] {
  return closedProblems(plan, rules, context, undefined)
}

function withMore(report: Report, problems: readonly Problem[]): Report {
  return { ...report, problems: [...report.problems, ...problems] }
}

/**
 * The report with what the first folder's local state changes since the merge base, and what the gates have against that.
 * Throws UsageError `git/not-a-checkout`.
 */
async function changesSince(
  files: FoldersTree,
  { plan, rules, context, gates, report }: Planned & { gates: Gates | undefined; report: Report },
  { base: ref, ...options }: CheckOptions & { base: string },
  signal: AbortSignal,
): Promise<Report> {
  const [checkout] = files.checkouts
  const [folder, ...others] = options.sourcePath ?? []
  if (checkout === undefined) {
    throw new UsageError("git/not-a-checkout", `--base needs a checkout, and ${folder} is in none`, {
      hint: "Give a folder of a clone that has the branch, or leave out --base.",
    })
  }
  const base = await readMergeBase(checkout, ref, signal)
  const more = await readFolderTree(others, signal)
  try {
    const before = joinTrees([base.tree, more.tree])
    const { rules: old } = await rulesBefore(rules.file, checkout, base)
    // Rules that had errors at the merge base gave nothing.
    const was: Plan = old ? planTargets(old, before, context) : { targets: [], problems: [] }
    const ofBase = new Set(base.tree.files)
    const read = (file: TreeFile) => (ofBase.has(file) ? base.read(file) : more.read(file))
    const compared = { tree: before, read, plans: old && { before: was, after: plan } }
    const problems = await judgeByGates(gates, files, compared, signal)
    const closed = closedProblems(plan, rules, context, old && was)
    return withMore({ ...report, changes: comparePlans(was, plan) }, [...closed, ...problems])
  } finally {
    await Promise.all([base.close(), more.close()])
  }
}

/** The rules at the merge base; as they are, where they lie elsewhere. */
async function rulesBefore(
  file: string,
  { workTree }: FolderInCheckout,
  base: CommitTree,
): Promise<ParsedRules> {
  const inside = relative(workTree.repository.top, await realpath(file))
  if (inside.startsWith("..")) return readRules(file, [])
  const text = await base.file(inside)
  return parseRules(text?.toString("utf8") ?? "", file)
}
