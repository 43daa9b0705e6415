import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import type { ReconcilePorts, ReconcileRequest } from "@headrace/shared/reconcile/run/ports"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord, recordConfigMap } from "@headrace/shared/record/record-config-map"
import type { ModelRepository } from "./model-repository.ts"
import { OWN_NAMESPACE } from "./model-sources.ts"
import { SOUND, type Subject } from "./subject.ts"

// A mutant undoes a rule by a port, from outside, so that the code itself carries no switches.

/** Every run gets its ports changed. */
export function withPorts(
  change: (ports: ReconcilePorts, request: ReconcileRequest) => ReconcilePorts,
): Subject {
  return {
    ...SOUND,
    reconcile: (request, ports, signal) => SOUND.reconcile(request, change(ports, request), signal),
  }
}

export function withKube(change: (kube: ConfigMapWriter) => ConfigMapWriter): Subject {
  return withPorts((ports) => ({ ...ports, kube: change(ports.kube) }))
}

/** `change` gets the repository with a worker's gates, and the one behind them. */
export function withRepository(
  change: (repository: SourceRepository, behind: ModelRepository) => SourceRepository,
): Subject {
  return withPorts((ports) => {
    const repository = change(ports.repository, ports.repository as ModelRepository)
    const isOwn = ports.rulesRepository === ports.repository
    return { ...ports, repository, rulesRepository: isOwn ? repository : ports.rulesRepository }
  })
}

/** Every read of a record gives this of it. */
export function withRecordRead(change: (record: SourceRecord) => SourceRecord): Subject {
  return withKube((kube) => ({
    ...kube,
    async get(...args) {
      const found = await kube.get(...args)
      return found && isRecord(found) ? withRecord(found, change(readRecord(found))) : found
    },
  }))
}

export function isTarget(configMap: ConfigMap): boolean {
  return configMap.metadata.namespace !== OWN_NAMESPACE
}

export function isRecord(configMap: ConfigMap): boolean {
  return configMap.metadata.labels?.["app.kubernetes.io/component"] === "record"
}

export function withRecord(configMap: ConfigMap, record: SourceRecord): ConfigMap {
  const { data } = recordConfigMap(OWN_NAMESPACE, record)
  return { ...configMap, ...(data ? { data } : {}) }
}
