import { paintFor } from "@headrace/shared/command-line/paint"
import { UsageError } from "@headrace/shared/foundation/errors"
import { escapeLines } from "@headrace/shared/foundation/escape-text"
import type { Problem } from "@headrace/shared/foundation/problem"
import { type FoldersTree, readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"
import { type ClusterSourceOptions, chosenClusters } from "../../cli/cluster-source-options.ts"
import { type ClusterSourceResult, forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { commitDigits } from "../../cli/named-commit.ts"
import { contextOfSettings } from "../../cli/plan-context.ts"
import { printProblems } from "../../cli/print-problems.ts"
import { resultErrorText } from "../../cli/print-results.ts"
import { readRules } from "../../cli/read-rules.ts"
import { diffBranch } from "./diff-branch.ts"
import { type Differing, diffFolder, type FolderPlan } from "./diff-folder.ts"
import { differencesJson, differencesText } from "./target-difference.ts"

/** As of diff(1), kubectl diff and terraform plan: what could not be compared is not the same as what differs. */
export const DIFF_FAILED = 3

export interface DiffOptions extends ClusterSourceOptions {
  sourcePath?: string[]
  rules?: string
  repo?: string
  commit?: string
  keepForeign: boolean
}

/** What `diff` of folders has to know. */
export type FolderDiffOptions = DiffOptions & { sourcePath: string[]; rules: string }

/** Compares clusters with the goals of their sources, and prints; gives the exit code: 1 when anything differs, 3 when anything could not be compared. */
export async function diffBranches(options: DiffOptions, signal: AbortSignal): Promise<number> {
  const commit = options.commit === undefined ? undefined : commitDigits(options.commit)
  const results = await forEachClusterSource(options, signal, (reconciler, clusterSource) =>
    diffBranch(reconciler, clusterSource, commit, signal),
  )
  return print(options, results)
}

/** Compares clusters with folders, and prints; gives the exit code: 1 when anything differs, 3 when anything could not be planned or compared. */
export async function diffFolders(options: FolderDiffOptions, signal: AbortSignal): Promise<number> {
  const settings = await loadOperatorSettings(options.config)
  const source = sourceOfFolder(settings, options.source)
  const files = await readFolderTree(options.sourcePath, signal)
  try {
    return await diffFiles(files, { settings, source }, options, signal)
  } finally {
    await files.close()
  }
}

async function diffFiles(
  files: FoldersTree,
  { settings, source }: Pick<FolderPlan, "settings" | "source">,
  options: FolderDiffOptions,
  signal: AbortSignal,
): Promise<number> {
  const own = source === undefined ? undefined : settings.sources[source]
  const parsed = await readRules(options.rules, options.sourcePath, {
    fileAt: files.fileAt,
    bounds: settings.bounds,
  })
  if (!parsed.rules) {
    printProblems(parsed.problems)
    return DIFF_FAILED
  }
  const repo = options.repo ?? (own && repoOfSource(own))
  const plan = planTargets(parsed.rules, files.tree, contextOfSettings(settings, repo))
  const clusters = chosenClusters(settings, options)
  const keepForeign = options.keepForeign || own?.foreignKeys === "keep"
  const wanted: FolderPlan = { settings, plan, files, source, keepForeign, logLevel: options.logLevel }
  const results = await Promise.all(clusters.map((cluster) => diffFolder(cluster, wanted, signal)))
  // Without --cluster all that the rules name was to be compared: a cluster that the settings lack could not be.
  const isConcerned = ({ target }: Problem) =>
    target === undefined || options.cluster === undefined || clusters.includes(target.cluster)
  const concerned = plan.problems.filter(isConcerned)
  const code = print(options, results)
  return printProblems([...parsed.problems, ...concerned]) > 0 ? DIFF_FAILED : code
}

/** The source that the folder is a checkout of: named, or the only one. Throws UsageError. */
function sourceOfFolder(
  settings: OperatorSettings,
  named: readonly string[] | undefined,
): string | undefined {
  const known = Object.keys(settings.sources)
  const [source, ...more] = named ?? known
  if (source !== undefined && more.length === 0 && known.includes(source)) return source
  if (named === undefined) return undefined
  throw new UsageError("diff/which-source", "--source-path is of one source of the settings", {
    hint: `Give --source with one of: ${known.join(", ") || "none is there"}.`,
  })
}

function print(options: DiffOptions, results: readonly ClusterSourceResult<Differing>[]): number {
  const done = results.filter((one) => one.ok).map((one) => one.result)
  const differences = done.flatMap((one) => one.differences)
  process.stdout.write(
    options.output === "json"
      ? differencesJson(differences)
      : differencesText(differences, paintFor(process.stdout)),
  )
  const errors = results
    .filter((one) => !one.ok)
    .map(({ cluster, error }) => `${cluster}: ${resultErrorText(error)}`)
  const notes = new Set([...done.flatMap((one) => one.notes), ...errors])
  for (const note of notes) process.stderr.write(`${escapeLines(note)}\n`)
  if (errors.length > 0 || done.some((one) => one.refused)) return DIFF_FAILED
  // As diff(1), nothing on standard output; a person at a terminal sees that it has looked.
  if (differences.length === 0 && process.stdout.isTTY) process.stderr.write("nothing differs\n")
  return differences.length > 0 ? 1 : 0
}
