import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { type FolderTree, readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { diffConfigMap } from "@headrace/shared/plan/diff-config-map"
import type { PlannedTarget } from "@headrace/shared/plan/plan"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { isOurs } from "@headrace/shared/reconcile/ownership"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { DiffOptions } from "../diff.ts"
import { contextOfSettings } from "../plan-context-of.ts"
import { printProblems } from "../print-problems.ts"
import { readRules } from "../read-rules.ts"
import { differencesJson, differencesText, type TargetDifference } from "./target-difference.ts"

/** Compares and prints; gives the exit code: 1 when anything differs or could not be planned. */
export async function runDiff(options: DiffOptions, signal: AbortSignal): Promise<number> {
  const settings = await loadOperatorSettings(options.config)
  const clusters = chooseClusters(settings, options.cluster)
  const files = await readFolderTree(options.sourcePath)
  const parsed = await readRules(options.rules, options.sourcePath)
  if (!parsed.rules) {
    printProblems(parsed.problems)
    return 1
  }
  const plan = planTargets(parsed.rules, files.tree, contextOfSettings(settings, options.repo))
  const concerned = plan.problems.filter(({ target }) => !target || clusters.includes(target.cluster))
  const differences: TargetDifference[] = []
  for (const cluster of clusters) {
    const targets = plan.targets.filter(({ target, view }) => view && target.cluster === cluster)
    if (targets.length > 0)
      differences.push(...(await diffCluster(cluster, targets, files, settings, options, signal)))
  }
  const isJson = options.output === "json"
  process.stdout.write(
    isJson ? differencesJson(differences) : differencesText(differences, process.stdout.isTTY),
  )
  const errors = printProblems([...parsed.problems, ...concerned])
  return errors > 0 || differences.length > 0 ? 1 : 0
}

function chooseClusters(
  settings: OperatorSettings,
  wanted: readonly string[] | undefined,
): readonly string[] {
  const known = Object.keys(settings.clusters)
  const stray = wanted?.find((name) => !known.includes(name))
  if (stray === undefined) return wanted ?? known
  throw new UsageError("settings/unknown-cluster", `the settings have no cluster "${stray}"`, {
    hint: `known: ${known.join(", ")}`,
  })
}

async function diffCluster(
  cluster: string,
  targets: readonly PlannedTarget[],
  files: FolderTree,
  settings: OperatorSettings,
  options: DiffOptions,
  signal: AbortSignal,
): Promise<TargetDifference[]> {
  const address = settings.clusters[cluster]
  if (!address) throw new HeadraceError("diff/unknown-cluster", `there is no cluster "${cluster}"`)
  const log = createLog("bootstrapper", { level: options.logLevel, destination: process.stderr })
  const kube = await connectCluster(cluster, address, log)
  try {
    const differences: TargetDifference[] = []
    for (const planned of targets) {
      const difference = await diffTarget(kube, planned, files, options.keepForeign, signal)
      if (difference) differences.push(difference)
    }
    return differences
  } finally {
    kube.close()
  }
}

/** Undefined when the ConfigMap is as the rules want it; an absent one that would be empty is. */
async function diffTarget(
  kube: ConfigMapReader,
  { target, keys }: PlannedTarget,
  files: FolderTree,
  keepForeign: boolean,
  signal: AbortSignal,
): Promise<TargetDifference | undefined> {
  const existing = await kube.get(target.namespace, target.name, signal)
  const wanted = await Promise.all(
    keys.map(async ({ key, file, gzip }) => ({ key, gzip, content: await files.read(file) })),
  )
  const state = existing ? (isOurs(existing) ? "present" : "not-ours") : "absent"
  const differing = diffConfigMap(existing, wanted, keepForeign || state === "not-ours")
  return differing.length > 0 ? { target, state, keys: differing } : undefined
}
