import { canonicalJson, compareText } from "@headrace/shared/foundation/canonical-json"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import { DEFAULT_AGENT_BOUNDS } from "@headrace/shared/settings/bounds"
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
  /** Bytes that a key may unpack to; absent: the default of `bounds.file`. */
  mostUnpacked?: number
}

const DEFAULT_MODE = 0o444

/** A source that gives the keys of live ConfigMaps: what a kubelet's mount, or a sidecar that selects, shows. */
export function createLiveSource(options: LiveSourceOptions): ProjectionSource {
  const { kind = "ConfigMap", place } = options
  const name = place === undefined ? `${kind}s ${options.id.replace(/^Secrets /, "")}` : `${kind} ${place}`

  /** The ConfigMap that had each path last. */
  let owners = new Map<string, string>()
  /** The files of each ConfigMap of a selection, as they could be had last. */
  let good = new Map<string, SelectedFile[]>()

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
      const sorted = [...configMaps].sort(byPlace)
      const read = place === undefined ? filesOfEach(sorted, options, good) : allFilesOf(sorted, options)
      good = read.good
      const all = [...good.values()].flat()
      // After a restart only the content shows whose file is shown.
      const holds = ({ path, owner, sha256 }: SelectedFile) =>
        owners.has(path) ? owners.get(path) === owner : shown?.(path) === sha256
      const { files, losers } = mergeSelection(all, holds)
      owners = new Map(files.map(({ path, owner }) => [path, owner]))
      const origin = { source: `live ${options.id}`, instance: null }
      return { origin, key: keyOf(files), files, warnings: [...read.warnings, ...losers] }
    },
  }
}

interface ReadObjects {
  /** By NAMESPACE/NAME. */
  good: Map<string, SelectedFile[]>
  warnings: string[]
}

function allFilesOf(configMaps: readonly ConfigMap[], options: LiveSourceOptions): ReadObjects {
  const read = configMaps.map((configMap) => [placeOf(configMap), filesOf(configMap, options)] as const)
  return { good: new Map(read), warnings: [] }
}

/**
 * The files of each ConfigMap of a selection. One that has no right files (a key that is no gzip, an item that it lacks)
 * keeps the files that it had and is named, since another namespace can add it; when none is right, throws what is wrong.
 */
function filesOfEach(
  configMaps: readonly ConfigMap[],
  options: LiveSourceOptions,
  before: ReadonlyMap<string, SelectedFile[]>,
): ReadObjects {
  const good = new Map<string, SelectedFile[]>()
  const failures: HeadraceError[] = []
  for (const configMap of configMaps) {
    const place = placeOf(configMap)
    try {
      good.set(place, filesOf(configMap, options))
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error
      failures.push(error)
      const last = before.get(place)
      if (last !== undefined) good.set(place, last)
    }
  }
  const [first] = failures
  if (first !== undefined && failures.length === configMaps.length && good.size === 0) throw first
  return { good, warnings: failures.map((error) => `the rest is shown: ${errorText(error)}`) }
}

function placeOf({ metadata }: ConfigMap): string {
  return `${metadata.namespace}/${metadata.name}`
}

function filesOf(configMap: ConfigMap, options: LiveSourceOptions): SelectedFile[] {
  const { namespace, name } = configMap.metadata
  const owner = `${options.kind ?? "ConfigMap"} ${namespace}/${name}`
  const folder = options.uniqueNames ? pathUnder(options.under, `${namespace}.${name}`) : options.under
  const entries = [...configMapBytes(configMap).entries()].sort(([a], [b]) => compareText(a, b))
  const { mostUnpacked = DEFAULT_AGENT_BOUNDS.file } = options
  const chosen = chooseItems(entries, options.items, {
    nameOf: ([key]) => key,
    owner,
    optional: options.optional,
  })
  return chosen.map(({ file: [key, bytes], path, mode }) => {
    const origin = `${owner}, key ${key}`
    const content = isGzipped(key, options.gunzip) ? () => undoGzip(bytes, origin, mostUnpacked) : () => bytes
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
