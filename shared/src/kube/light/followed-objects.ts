import { type ConfigMap, configMapSize } from "../../foundation/config-map.ts"
import type { WatchEvent } from "../config-map-api.ts"
import { KubeError } from "../kube-error.ts"

/** What is there, whole. */
export interface Followed {
  /** By `namespace/name`. */
  objects: ReadonlyMap<string, ConfigMap>
  /** The names that differ from the state given before. */
  changed: ReadonlySet<string>
}

/** Lists in a row that are older than what we know before we believe them: etcd was restored from a backup. */
const STALE_LISTS = 5

/** The objects that a list and the watch after it have reported, and which of them changed since last taken. */
export class FollowedObjects {
  /** Where the next watch starts; undefined: list first. */
  version: string | undefined
  readonly #objects = new Map<string, ConfigMap>()
  readonly #changed = new Set<string>()
  #listed = false
  #pending = false
  #newest = "0"
  #staleLists = 0
  #wake: () => void = () => undefined
  readonly #most: number
  #bytes = 0

  /** `most`: bytes of the values of all objects together. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
  }

  /** Takes a whole list. Throws `kube/unavailable` when it is older than what a fresher replica has shown. */
  replaceAll(items: readonly ConfigMap[], resourceVersion: string): void {
    this.#refuseStale(resourceVersion)
    const bytes = items.reduce((sum, item) => sum + configMapSize(item), 0)
    if (bytes > this.#most) throw this.#tooLarge(bytes)
    this.#bytes = bytes
    const before = new Map(this.#objects)
    this.#objects.clear()
    for (const item of items) {
      const key = keyOf(item)
      this.#objects.set(key, item)
      if (before.get(key)?.metadata.resourceVersion !== item.metadata.resourceVersion) this.#changed.add(key)
      before.delete(key)
    }
    for (const key of before.keys()) this.#changed.add(key)
    this.version = resourceVersion
    this.#newest = resourceVersion
    if (!this.#listed || this.#changed.size > 0) this.#tell()
    this.#listed = true
  }

  /** Throws `kube/list-too-large` for an object that there is no room for; nothing has changed then. */
  apply(event: WatchEvent): void {
    if (event.type === "bookmark") {
      this.#advance(event.resourceVersion)
      return
    }
    const key = keyOf(event.object)
    const known = this.#objects.get(key)
    const added = event.type === "deleted" ? 0 : configMapSize(event.object)
    const bytes = this.#bytes + added - (known ? configMapSize(known) : 0)
    if (added > 0 && bytes > this.#most) throw this.#tooLarge(bytes)
    this.#bytes = bytes
    const { resourceVersion } = event.object.metadata
    if (resourceVersion !== undefined) this.#advance(resourceVersion)
    if (event.type === "deleted") this.#objects.delete(key)
    else this.#objects.set(key, event.object)
    this.#changed.add(key)
    this.#tell()
  }

  /** Waits for something to take; false when the signal aborted. */
  async changed(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.#pending) return true
    await new Promise<void>((resolve) => {
      // One listener for each change of a watch that lasts for months would else stay on the signal.
      const wake = (): void => {
        signal.removeEventListener("abort", wake)
        resolve()
      }
      this.#wake = wake
      signal.addEventListener("abort", wake)
    })
    return !signal.aborted
  }

  take(): Followed {
    const changed = new Set(this.#changed)
    this.#changed.clear()
    this.#pending = false
    return { objects: new Map(this.#objects), changed }
  }

  #tooLarge(bytes: number): KubeError {
    const message = `the objects that are selected have ${bytes} bytes, and bounds.list is ${this.#most}`
    return new KubeError("kube/list-too-large", message, {
      hint: "Narrow what is selected, or raise bounds.list.",
    })
  }

  #tell(): void {
    this.#pending = true
    this.#wake()
  }

  #advance(resourceVersion: string): void {
    this.version = resourceVersion
    if (isOlder(this.#newest, resourceVersion)) this.#newest = resourceVersion
  }

  #refuseStale(resourceVersion: string): void {
    if (!isOlder(resourceVersion, this.#newest)) {
      this.#staleLists = 0
      return
    }
    this.#staleLists += 1
    if (this.#staleLists >= STALE_LISTS) return
    const message = `the API server listed version ${resourceVersion}, older than ${this.#newest} which was seen before`
    throw new KubeError("kube/unavailable", message, { hint: "Wait: a replica of it lags behind." })
  }
}

/** Versions are integers that grow with every write of the cluster (KEP-5504); others are not compared. */
function isOlder(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b)
}

function keyOf(configMap: ConfigMap): string {
  return `${configMap.metadata.namespace}/${configMap.metadata.name}`
}
