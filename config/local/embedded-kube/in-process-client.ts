import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter, Selection, WatchEvent } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { configMapJson } from "@headrace/shared/kube/protocol/config-map-json"
import { kubeErrorOfAnswer } from "@headrace/shared/kube/protocol/kube-answer"
import { neededVersion } from "@headrace/shared/kube/protocol/needed-version"
import { otherWriter } from "@headrace/shared/kube/protocol/other-writer"
import { ApiFailure } from "./api-failure.ts"
import type { KubeObject } from "./kube-object.ts"
import { copyJson } from "./kube-object.ts"
import type { ObjectStore } from "./object-store.ts"
import { CONFIG_MAPS } from "./resource-kind.ts"
import { fieldMatcher, labelMatcher, type Matcher } from "./selectors.ts"
import { eventFor, type ObjectEvent } from "./watch-history.ts"

/**
 * ConfigMaps of an ObjectStore without a server in between, with the errors that clients over HTTP give.
 * For tests that run thousands of schedules: every call answers on the next microtask.
 */
export function inProcessClient(store: ObjectStore): ConfigMapWriter {
  return {
    async get(namespace, name, signal) {
      return absentIfNotFound(() =>
        read(signal, `get ConfigMap ${namespace}/${name}`, () => store.get(CONFIG_MAPS, namespace, name)),
      )
    },
    async list(namespace, selection, signal) {
      const matches = selectionMatcher(selection)
      signal?.throwIfAborted()
      const items = store.list(CONFIG_MAPS, namespace, matches).map(toConfigMap)
      return { items, resourceVersion: String(store.resourceVersion) }
    },
    async listMetadata(namespace, selection, signal) {
      signal?.throwIfAborted()
      const found = store.list(CONFIG_MAPS, namespace, selectionMatcher(selection))
      return found.map((object) => toConfigMap(object).metadata)
    },
    watch: (namespace, selection, signal, onOpen) => {
      onOpen?.()
      return watchStore(store, namespace, selection, signal)
    },
    async otherWriter(namespace, name, signal) {
      signal?.throwIfAborted()
      const found = store.list(CONFIG_MAPS, namespace).find(({ metadata }) => metadata.name === name)
      return otherWriter(found?.metadata.managedFields ?? [])
    },
    async create(configMap, signal) {
      const { namespace, name } = configMap.metadata
      return read(signal, `create ConfigMap ${namespace}/${name}`, () =>
        store.create(CONFIG_MAPS, namespace, configMapJson(configMap)),
      )
    },
    async replace(configMap, signal) {
      neededVersion(configMap)
      const { namespace, name } = configMap.metadata
      return read(signal, `replace ConfigMap ${namespace}/${name}`, () =>
        store.replace(CONFIG_MAPS, namespace, name, configMapJson(configMap)),
      )
    },
    async remove(configMap, signal) {
      const { namespace, name } = configMap.metadata
      const expected = { resourceVersion: neededVersion(configMap) }
      await absentIfNotFound(() =>
        read(signal, `delete ConfigMap ${namespace}/${name}`, () =>
          store.remove(CONFIG_MAPS, namespace, name, expected),
        ),
      )
    },
  }
}

async function* watchStore(
  store: ObjectStore,
  namespace: string,
  selection: Selection & { resourceVersion: string },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const selected = selectionMatcher(selection)
  const matches: Matcher = (object) =>
    (!namespace || object.metadata.namespace === namespace) && selected(object)
  const history = store.history(CONFIG_MAPS)
  const missed = history.since(Number(selection.resourceVersion))
  if (!missed)
    throw new KubeError(
      "kube/gone",
      `watch ConfigMaps: too old resource version: ${selection.resourceVersion}`,
      { status: 410 },
    )
  const queue = [...missed]
  let wake = (): void => {}
  const stop = history.listen((change) => {
    queue.push(change)
    wake()
  })
  const end = (): void => wake()
  signal.addEventListener("abort", end)
  try {
    while (!signal.aborted) {
      const change = queue.shift()
      const event = change && eventFor(change, matches)
      if (event) yield toWatchEvent(event)
      else if (!change) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stop()
    signal.removeEventListener("abort", end)
  }
  signal.throwIfAborted()
}

function read(signal: AbortSignal | undefined, what: string, call: () => KubeObject): ConfigMap {
  signal?.throwIfAborted()
  try {
    return toConfigMap(call())
  } catch (error) {
    if (error instanceof ApiFailure) throw kubeErrorOfAnswer(what, error.status.code, error.status)
    throw error
  }
}

function absentIfNotFound(call: () => ConfigMap): ConfigMap | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/not-found") return undefined
    throw error
  }
}

function selectionMatcher(selection: Selection): Matcher {
  const byLabel = labelMatcher(selection.labelSelector)
  const byField = fieldMatcher(selection.fieldSelector)
  return (object) => byLabel(object) && byField(object)
}

function toWatchEvent(event: ObjectEvent): WatchEvent {
  const type = event.type.toLowerCase() as "added" | "modified" | "deleted"
  return { type, object: toConfigMap(event.object) }
}

/** What was given of an object of the store, which is another one after each write. */
const GIVEN = new WeakMap<KubeObject, ConfigMap>()

/**
 * The store has checked it, so this only copies, and once: what the store holds must not be changed, and what is given is
 * frozen, so that all its readers can have the same.
 */
function toConfigMap(object: KubeObject): ConfigMap {
  const given = GIVEN.get(object)
  if (given) return given
  const { apiVersion: _, kind: __, ...configMap } = object
  const { managedFields: ___, ...metadata } = configMap.metadata
  const copy = frozen(copyJson({ ...configMap, metadata })) as unknown as ConfigMap
  GIVEN.set(object, copy)
  return copy
}

function frozen<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (member !== null && typeof member === "object") frozen(member)
  }
  return Object.freeze(value)
}
