import { createLog } from "@headrace/shared/observe/log"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcilePorts, ReconcileSettings } from "@headrace/shared/reconcile/run/ports"

/** What a test says about its ports, where it is not the usual. */
type GivenPorts = Pick<ReconcilePorts, "kube" | "repository"> &
  Partial<Omit<ReconcilePorts, "settings">> & { settings?: Partial<ReconcileSettings> }

const SILENT = createLog("test", { level: "silent" })

/** Ports of one process: a memory of its own, a clock whose sleeps end at once, rules in the source itself. */
export function reconcilePorts(given: GivenPorts): ReconcilePorts {
  return {
    rulesRepository: given.repository,
    clock: { now: Date.now, sleep: async () => {} },
    log: SILENT,
    memory: createReconcileMemory(),
    ...given,
    settings: reconcileSettings(given.settings),
  }
}

/** What the operator's settings say, where a test does not give it. */
export function reconcileSettings(given: Partial<ReconcileSettings> = {}): ReconcileSettings {
  return {
    programsNamespace: "headrace",
    namespace: "headrace",
    repo: "org/repo",
    rulesPath: "rules.yaml",
    strict: false,
    foreignKeys: "remove",
    allowForcePush: false,
    defaults: { cluster: "east", namespace: "ci" },
    guard: { deletedKeys: 0.5, deletedConfigMaps: 0.5, atLeast: 1 },
    clusters: new Map([
      ["east", { namespaces: ["*"] }],
      ["west", { namespaces: ["*"] }],
    ]),
    store: true,
    ...given,
  }
}
