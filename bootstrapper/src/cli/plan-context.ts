import { hasCode } from "@headrace/shared/foundation/errors"
import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { loadSettings } from "@headrace/shared/settings/parse-settings"

/** Flags that say what a plan is held against. */
export interface ContextOptions {
  config?: string | undefined
  repo?: string | undefined
  defaultCluster: string
  defaultNamespace: string
}

/** The context of a plan: the operator's file when one is given, otherwise the flags' defaults. */
export async function contextOfFlags(options: ContextOptions): Promise<PlanContext> {
  if (options.config === undefined) {
    return {
      repo: options.repo,
      defaults: { cluster: options.defaultCluster, namespace: options.defaultNamespace },
    }
  }
  const { settings, clustersKnown } = await settingsWhereTheyAreChecked(options.config)
  const context = contextOfSettings(settings, options.repo)
  return clustersKnown ? context : { ...context, clusters: undefined }
}

/** A folder of kubeconfigs is where the programs run; a pull request's check runs elsewhere, and goes on without. */
export async function settingsWhereTheyAreChecked(
  file: string,
): Promise<{ settings: OperatorSettings; clustersKnown: boolean }> {
  try {
    return { settings: await loadOperatorSettings(file), clustersKnown: true }
  } catch (error) {
    if (!hasCode(error, "kube/kubeconfig-folder")) throw error
    process.stderr.write(`${error.message}: which clusters the rules name is not judged\n`)
    return { settings: await loadSettings(file, OperatorSettings), clustersKnown: false }
  }
}

function wordsOf({ signing }: OperatorSettings): string[] {
  return signing?.words === undefined ? [] : [signing.words]
}

export function contextOfSettings(settings: OperatorSettings, repo: string | undefined): PlanContext {
  return {
    repo,
    defaults: settings.defaults,
    reservedNamespaces: [settings.namespace, settings.programsNamespace, ...wordsOf(settings)],
    clusters: new Map(Object.entries(settings.clusters)),
    otherClusters: settings.otherClusters,
    bounds: settings.bounds,
  }
}
