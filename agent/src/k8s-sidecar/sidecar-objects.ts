import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader, Selection } from "@headrace/shared/kube/config-map-api"
import { followConfigMaps } from "@headrace/shared/kube/light/follow"
import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import type { Log } from "@headrace/shared/observe/log"
import type { SelectedObject } from "./sidecar-files.ts"
import type { SidecarSettings } from "./sidecar-settings.ts"

export interface ObjectPorts {
  readers: Readonly<Record<FileKind, ConfigMapReader>>
  namespaces: readonly string[]
  log: Log
}

const RETRY = { first: 100, limit: 3_000 }

/** Everything that the settings select, as it is now. Throws `kube/…`. */
export async function listObjects(
  settings: SidecarSettings,
  { readers, namespaces }: ObjectPorts,
  signal: AbortSignal,
): Promise<SelectedObject[]> {
  const pairs = settings.kinds.flatMap((kind) => namespaces.map((namespace) => ({ kind, namespace })))
  const lists = await Promise.all(
    pairs.map(async ({ kind, namespace }) => {
      const objects = await objectsOf(settings, readers[kind], kind, namespace, signal)
      return objects.map((object) => ({ kind, object }))
    }),
  )
  return lists.flat()
}

async function objectsOf(
  { names, labelSelector }: SidecarSettings,
  reader: ConfigMapReader,
  kind: FileKind,
  namespace: string,
  signal: AbortSignal,
): Promise<ConfigMap[]> {
  // k8s-sidecar takes names only where it knows the namespace.
  if (names.length === 0 || namespace === "") {
    return (await reader.list(namespace, { labelSelector }, signal)).items
  }
  const wanted = names.filter(
    (each) => (each.kind ?? kind) === kind && (each.namespace ?? namespace) === namespace,
  )
  const found = await Promise.all(wanted.map(({ name }) => reader.get(namespace, name, signal)))
  return found.filter((object) => object !== undefined)
}

/** Gives the whole selection at first and after each change, until the signal aborts; by a watch, or by reads. */
export async function followObjects(
  settings: SidecarSettings,
  ports: ObjectPorts,
  onChange: (objects: SelectedObject[]) => void,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  if (settings.method === "WATCH") return watchObjects(settings, ports, onChange, signal)
  while (!signal.aborted) {
    try {
      onChange(await listObjects(settings, ports, signal))
    } catch (error) {
      if (signal.aborted) return
      ports.log.warn({ err: errorText(error) }, "the API server cannot be read")
      await clock.sleep(RETRY.limit, signal).catch(() => undefined)
      continue
    }
    await clock.sleep(settings.sleep, signal).catch(() => undefined)
  }
}

async function watchObjects(
  settings: SidecarSettings,
  { readers, namespaces, log }: ObjectPorts,
  onChange: (objects: SelectedObject[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const selection: Selection = { labelSelector: settings.labelSelector }
  const parts = new Map<string, SelectedObject[]>()
  const pairs = settings.kinds.flatMap((kind) => namespaces.map((namespace) => ({ kind, namespace })))

  async function follow(kind: FileKind, namespace: string): Promise<void> {
    const options = {
      namespace,
      selection,
      backoff: RETRY,
      onTrouble(error: unknown) {
        log.warn({ kind, namespace, err: errorText(error) }, "the API server cannot be read")
      },
    }
    for await (const { objects } of followConfigMaps(readers[kind], options, signal)) {
      parts.set(
        `${kind} ${namespace}`,
        [...objects.values()].map((object) => ({ kind, object })),
      )
      // Nothing is shown before everything was read once: a file would be missing, and then come back.
      if (parts.size === pairs.length) onChange([...parts.values()].flat())
    }
  }

  await Promise.all(pairs.map(({ kind, namespace }) => follow(kind, namespace)))
}
