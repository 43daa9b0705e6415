import {
  type ErrorCode,
  errorMessage,
  HeadraceError,
  hasCode,
  restated,
  UsageError,
} from "@headrace/shared/foundation/errors"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { type CommandContext, suggestClusterCheck } from "@headrace/shared/status/suggest-command"
import {
  type ClusterSource,
  type ClusterSourceOptions,
  chooseClusterSources,
} from "./cluster-source-options.ts"
import { commandContext } from "./command-context.ts"
import { commandLog } from "./command-log.ts"
import { withCommand } from "./with-command.ts"

export interface ClusterSourceError {
  code: string
  message: string
  hint?: string
}

/** What came of one source in a cluster: a result, or the error that kept it. */
export type ClusterSourceResult<Result> = ClusterSource &
  ({ ok: true; result: Result } | { ok: false; error: ClusterSourceError })

/**
 * Does something for every chosen cluster and source: clusters at the same time, so that one which does not
 * answer keeps nobody waiting; the sources of a cluster one after the other. Errors become results; only
 * misuse is thrown.
 */
export async function forEachClusterSource<Result>(
  options: ClusterSourceOptions,
  signal: AbortSignal,
  work: (reconciler: Reconciler, clusterSource: ClusterSource, settings: OperatorSettings) => Promise<Result>,
  choose: (settings: OperatorSettings) => ClusterSource[] = (settings) =>
    chooseClusterSources(settings, options),
): Promise<ClusterSourceResult<Result>[]> {
  const settings = await loadOperatorSettings(options.config)
  const clusterSources = choose(settings)
  const log = commandLog(options.logLevel)
  const reconciler = await openReconciler(settings, log)
  const context = commandContext(settings, options.config)
  const clusters = Map.groupBy(clusterSources, ({ cluster }) => cluster)
  try {
    const results = [...clusters.values()].map((mine) =>
      inTurn(mine, (clusterSource) => work(reconciler, clusterSource, settings)),
    )
    return (await Promise.all(results)).flat()
  } finally {
    await reconciler.close()
  }

  async function inTurn(
    mine: readonly ClusterSource[],
    go: (clusterSource: ClusterSource) => Promise<Result>,
  ) {
    const results: ClusterSourceResult<Result>[] = []
    for (const clusterSource of mine) {
      signal.throwIfAborted()
      results.push(await attempt(clusterSource, go, context))
    }
    return results
  }
}

/**
 * The work's result, or its error as a result; misuse is thrown, except for a kubeconfig that does not read: that
 * is one cluster's trouble, which must not keep the others waiting.
 */
export async function attempt<Result>(
  clusterSource: ClusterSource,
  go: (clusterSource: ClusterSource) => Promise<Result>,
  context?: CommandContext,
): Promise<ClusterSourceResult<Result>> {
  try {
    return { ...clusterSource, ok: true, result: await go(clusterSource) }
  } catch (error) {
    if (error instanceof UsageError && !hasCode(error, "kube/")) throw error
    return {
      ...clusterSource,
      ok: false,
      error: errorOf(withClusterCheck(error, clusterSource.cluster, context)),
    }
  }
}

/** An API server that does not answer: named by its cluster, with the command that asks it past everything of ours. */
function withClusterCheck(error: unknown, cluster: string, context: CommandContext | undefined): unknown {
  if (context === undefined) return error
  if (!hasCode(error, "kube/unavailable") && !hasCode(error, "kube/timeout")) return error
  const hint = `Check the API server of ${cluster} and the network to it.`
  return withCommand(restated(error, { hint }), suggestClusterCheck(context, cluster))
}

/** What was thrown, as a result of one source in a cluster. */
export function errorOf(error: unknown): ClusterSourceError {
  const code: ErrorCode = error instanceof HeadraceError ? error.code : "program/unexpected"
  const hint = error instanceof HeadraceError ? error.hint : undefined
  return { code, message: errorMessage(error), ...(hint ? { hint } : {}) }
}
