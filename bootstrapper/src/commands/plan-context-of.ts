import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

/** Flags that say what a plan is held against. */
export interface ContextOptions {
  config?: string | undefined
  repo?: string | undefined
  defaultCluster: string
  defaultNamespace: string
}

/** The context of a plan: the operator's file when one is given, else the flags' defaults. */
export async function planContextOf(options: ContextOptions): Promise<PlanContext> {
  if (options.config === undefined) {
    return {
      repo: options.repo,
      defaults: { cluster: options.defaultCluster, namespace: options.defaultNamespace },
    }
  }
  return contextOfSettings(await loadOperatorSettings(options.config), options.repo)
}

export function contextOfSettings(settings: OperatorSettings, repo: string | undefined): PlanContext {
  return {
    repo,
    defaults: settings.defaults,
    reservedNamespace: settings.namespace,
    clusters: new Map(Object.entries(settings.clusters)),
  }
}
