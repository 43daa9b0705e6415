import { canonicalJson, compareText } from "@headrace/shared/foundation/canonical-json"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import { chooseItems, type NamedItem } from "./choose-items.ts"
import { mergeSelection, type SelectedFile } from "./merge-selection.ts"
import { type ProjectedFile, pathUnder } from "./projected-files.ts"
import { notReadYet, type ProjectionSource, waitsFor } from "./source.ts"
import { undoGzip } from "./undo-gzip.ts"

/** ConfigMaps as they are in the cluster, and how their keys are shown. */
export interface LiveSourceOptions {
  /** Names its selection among the inputs. */
  id: string
  kind?: FileKind
  /** `namespace/name` when it is one object, which is then waited for; otherwise undefined. */
  place?: string | undefined
  /** Put files under NAMESPACE.NAME/. */
  uniqueNames: boolean
  under?: string | undefined
  optional: boolean
  items?: readonly NamedItem[] | undefined
  mode?: number | undefined
  /** Keys to undo gzip for; true: all of them. */
  gunzip: boolean | readonly string[]
}

const DEFAULT_MODE = 0o444

/** A source that gives the keys of live ConfigMaps: what a kubelet's mount, or a sidecar that selects, shows. */
export function createLiveSource(options: LiveSourceOptions): ProjectionSource {
  const { kind = "ConfigMap", place } = options
  const name = place === undefined ? `${kind}s ${options.id.replace(/^Secrets /, "")}` : `${kind} ${place}`

  /** The ConfigMap that had each path last. */
  let owners = new Map<string, string>()

  return {
    name,
    history: `live ${options.id}`,
    isGuarded: true,
    async assemble(inputs, shown) {
      const configMaps = inputs.live.get(options.id)
      if (configMaps === undefined) throw notReadYet(name)
      if (configMaps.length === 0 && place !== undefined && !options.optional) {
        throw waitsFor(name, "it is not there", "Create it, or set optional: true.")
      }
      if (configMaps.length === 0 && !options.optional) {
        throw waitsFor(name, "none matches", "Check the selector, or set optional: true.")
      }
      const all = [...configMaps].sort(byPlace).flatMap((configMap) => filesOf(configMap, options))
      // After a restart only the content shows whose file is shown.
      const holds = ({ path, owner, sha256 }: SelectedFile) =>
        owners.has(path) ? owners.get(path) === owner : shown?.(path) === sha256
      const { files, losers } = mergeSelection(all, holds)
      owners = new Map(files.map(({ path, owner }) => [path, owner]))
      const origin = { source: `live ${options.id}`, instance: null }
      return { origin, key: keyOf(files), files, warnings: losers }
    },
  }
}

function filesOf(configMap: ConfigMap, options: LiveSourceOptions): SelectedFile[] {
  const { namespace, name } = configMap.metadata
  const owner = `${options.kind ?? "ConfigMap"} ${namespace}/${name}`
  const folder = options.uniqueNames ? pathUnder(options.under, `${namespace}.${name}`) : options.under
  const entries = [...configMapBytes(configMap).entries()].sort(([a], [b]) => compareText(a, b))
  const chosen = chooseItems(entries, options.items, {
    nameOf: ([key]) => key,
    owner,
    optional: options.optional,
  })
  return chosen.map(({ file: [key, bytes], path, mode }) => {
    const origin = `${owner}, key ${key}`
    const content = isGzipped(key, options.gunzip) ? () => undoGzip(bytes, origin) : () => bytes
    const now = content()
    return {
      path: pathUnder(folder, path),
      mode: mode ?? options.mode ?? DEFAULT_MODE,
      size: now.length,
      sha256: sha256(now),
      origin,
      owner: `${namespace}/${name}`,
      read: async () => content(),
    }
  })
}

/** Only where the configuration says so: contents are never sniffed, since real .gz files exist. */
function isGzipped(key: string, gunzip: LiveSourceOptions["gunzip"]): boolean {
  return typeof gunzip === "boolean" ? gunzip : gunzip.includes(key)
}

function keyOf(files: readonly ProjectedFile[]): string {
  return sha256(canonicalJson(files.map(({ path, mode, sha256 }) => [path, mode, sha256])))
}

function byPlace(a: ConfigMap, b: ConfigMap): number {
  return (
    compareText(a.metadata.namespace, b.metadata.namespace) || compareText(a.metadata.name, b.metadata.name)
  )
}
