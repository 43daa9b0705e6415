import { join, relative, resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import { type FolderTree, readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { checkRules, claimedTwice } from "@headrace/shared/plan/check-rules"
import { comparePlans, type TargetChange } from "@headrace/shared/plan/compare-plans"
import type { Plan } from "@headrace/shared/plan/plan"
import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import type { RuleSet } from "@headrace/shared/rules/rule"
import { contextOfFlags } from "../../cli/plan-context.ts"
import { readRules } from "../../cli/read-rules.ts"
import { type CheckedOutFiles, checkoutMergeBase, checkoutRemote } from "./check-out.ts"
import { measureTargets, sizeProblems } from "./measure-targets.ts"
import { type Report, reportGithub, reportJson, reportText } from "./report.ts"

export interface CheckOptions {
  sourcePath?: string[]
  repo?: string
  ref?: string
  rules: string
  config?: string
  base?: string
  otherRules: string[]
  defaultCluster: string
  defaultNamespace: string
  strict: boolean
  output: "text" | "json" | "github"
}

const PRINT = { text: reportText, json: reportJson, github: reportGithub }

/** Checks and prints; gives the exit code: 1 for an error, with --strict for a warning too. */
export async function runCheck(options: CheckOptions, signal: AbortSignal): Promise<number> {
  const remote = await openRemote(options, signal)
  try {
    const folders = remote ? [remote.folder] : (options.sourcePath ?? [])
    const rules = remote ? resolve(remote.folder, options.rules) : options.rules
    const report = await checkSource(folders, { ...options, rules }, signal)
    const problems = report.problems.map((problem) => insideOf(remote?.folder, problem))
    process.stdout.write(PRINT[options.output]({ ...report, problems }))
    const counts = (problem: Problem) => problem.severity === "error" || options.strict
    return report.problems.some(counts) ? 1 : 0
  } finally {
    await remote?.close()
  }
}

/** A problem with its file as the repository knows it, when it was read from a temporary folder. */
function insideOf(folder: string | undefined, problem: Problem): Problem {
  if (folder === undefined || !problem.file?.startsWith(`${folder}/`)) return problem
  return { ...problem, file: problem.file.slice(folder.length + 1) }
}

async function openRemote(options: CheckOptions, signal: AbortSignal): Promise<CheckedOutFiles | undefined> {
  if (options.sourcePath) return undefined
  if (options.repo === undefined) {
    throw new UsageError("check/no-source", "there is nothing to check", {
      hint: "Give --source-path DIR, or --repo URL and --ref REF.",
    })
  }
  return checkoutRemote(options.repo, options.ref ?? "HEAD", signal)
}

/** What is wrong with rules and files, how full each ConfigMap is and, with a base, what changes. */
export async function checkSource(
  folders: readonly string[],
  options: CheckOptions,
  signal: AbortSignal,
): Promise<Report> {
  const parsed = await readRules(options.rules, folders)
  if (!parsed.rules) return { problems: parsed.problems, sizes: [], changes: undefined }
  const { rules } = parsed
  const context = await contextOfFlags({ ...options, repo: repositoryName(options.repo) })
  const files = await readFolderTree(folders)
  const plan = planTargets(rules, files.tree, context)
  const sizes = await measureTargets(plan, files.read)
  const problems = [
    ...parsed.problems,
    ...plan.problems,
    ...checkRules(rules, files.tree, context),
    ...claimedTwice(rules, await readOtherRules(options.otherRules), context),
    ...sizeProblems(sizes),
  ]
  const changes =
    options.base === undefined
      ? undefined
      : await changesSince(folders, rules, plan, context, options, signal)
  return { problems, sizes, changes }
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

async function changesSince(
  folders: readonly string[],
  rules: RuleSet,
  plan: Plan,
  context: PlanContext,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<TargetChange[]> {
  const [folder, ...others] = folders
  if (folder === undefined || options.base === undefined) return []
  const base = await checkoutMergeBase(folder, options.base, signal)
  try {
    const before = await readFolderTree([base.folder, ...others])
    const { rules: old } = await readRules(rulesFileBefore(rules.file, folder, base.folder), [])
    return comparePlans(planBefore(old, before, context), plan)
  } finally {
    await base.close()
  }
}

/** Where the rules stood before: in the same repository, or outside of it, as they are. */
function rulesFileBefore(rulesFile: string, folder: string, baseFolder: string): string {
  const inside = relative(resolve(folder), resolve(rulesFile))
  return inside.startsWith("..") ? rulesFile : join(baseFolder, inside)
}

/** Rules that had errors at the merge base gave nothing. */
function planBefore(rules: RuleSet | undefined, files: FolderTree, context: PlanContext): Plan {
  return rules ? planTargets(rules, files.tree, context) : { targets: [], problems: [] }
}
