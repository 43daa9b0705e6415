import { randomUUID } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { ApiFailure, badRequest, conflict, invalid, notFound } from "./api-failure.ts"
import { decodeTextMap } from "./decode-text-map.ts"
import { copyJson, type KubeObject, type KubeObjectMeta } from "./kube-object.ts"
import { managedAfter } from "./managed-fields.ts"
import { apiVersionOf, NAMESPACES, RESOURCE_KINDS, type ResourceKind } from "./resource-kind.ts"
import type { Matcher } from "./selectors.ts"
import { metadataCauses } from "./validate-metadata.ts"
import { WatchHistory } from "./watch-history.ts"

export interface ObjectStoreOptions {
  /** Make a namespace when something is written to it, instead of a 404. */
  createNamespaces?: boolean
  /** How many changes of each kind a watch can go back. */
  historyLimit?: number
  /** The version before the first write. A later server that starts higher makes old watchers list again. */
  firstResourceVersion?: number
  /** Milliseconds since the epoch, for creationTimestamp. */
  now?: () => number
}

/** All objects at one time, as a backup of etcd has them. */
export interface StoreSnapshot {
  objects: ReadonlyMap<ResourceKind, ReadonlyMap<string, KubeObject>>
  resourceVersion: number
}

export interface Preconditions {
  uid?: string
  resourceVersion?: string
}

const METADATA_FIELDS = [
  "name",
  "namespace",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "resourceVersion",
  "uid",
  "creationTimestamp",
]
const FIRST_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"]
/** Who writes within this process. */
const OURSELVES = "headrace"
const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"

/**
 * The state behind the embedded API server: objects by kind, one resourceVersion for all, and for each kind
 * the latest changes. Synchronous and without a clock of its own. What it holds and gives out is shared and
 * must not be changed; what it takes in is copied. Refusals are thrown as ApiFailure.
 *
 * It follows the real server, and test/contract holds it to that.
 */
export class ObjectStore {
  readonly #objects = new Map<ResourceKind, Map<string, KubeObject>>()
  readonly #histories = new Map<ResourceKind, WatchHistory>()
  readonly #createNamespaces: boolean
  readonly #now: () => number
  #resourceVersion: number

  constructor(options: ObjectStoreOptions = {}) {
    this.#createNamespaces = options.createNamespaces ?? false
    this.#now = options.now ?? Date.now
    this.#resourceVersion = options.firstResourceVersion ?? 1
    for (const kind of RESOURCE_KINDS) {
      this.#objects.set(kind, new Map())
      this.#histories.set(kind, new WatchHistory(options.historyLimit ?? 1000, this.#resourceVersion))
    }
    for (const name of FIRST_NAMESPACES) this.#createNamespace(name)
  }

  get resourceVersion(): number {
    return this.#resourceVersion
  }

  history(kind: ResourceKind): WatchHistory {
    return given(this.#histories.get(kind))
  }

  /** Throws 404. */
  get(kind: ResourceKind, namespace: string, name: string): KubeObject {
    const object = this.#all(kind).get(`${namespace}/${name}`)
    if (!object) throw notFound(resourceOf(kind), name)
    return object
  }

  has(kind: ResourceKind, namespace: string, name: string): boolean {
    return this.#all(kind).has(`${namespace}/${name}`)
  }

  /** In the order of namespace and name; `namespace` `""` is all of them. */
  list(kind: ResourceKind, namespace: string, matches: Matcher = () => true): KubeObject[] {
    const found = [...this.#all(kind)].filter(
      ([, object]) => (!namespace || object.metadata.namespace === namespace) && matches(object),
    )
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  create(kind: ResourceKind, namespace: string, body: unknown, manager = OURSELVES): KubeObject {
    const object = this.#take(kind, namespace, body)
    this.#needNamespace(kind, namespace)
    if (isVersion(object.metadata.resourceVersion)) {
      throw new ApiFailure(500, "", "resourceVersion should not be set on objects to be created")
    }
    const { name } = object.metadata
    refuseIf(kind, name, [...metadataCauses(object.metadata, kind.names), ...kind.causes(object, undefined)])
    if (this.#all(kind).has(`${namespace}/${name}`)) {
      const resource = resourceOf(kind)
      throw new ApiFailure(409, "AlreadyExists", `${resource} "${name}" already exists`, {
        name,
        kind: resource,
      })
    }
    object.metadata.uid = randomUUID()
    object.metadata.creationTimestamp = `${new Date(this.#now()).toISOString().slice(0, 19)}Z`
    return this.#write(kind, undefined, object, manager)
  }

  /** With a resourceVersion: compare and swap. Without: overwrites, where the kind allows it. */
  replace(
    kind: ResourceKind,
    namespace: string,
    name: string,
    body: unknown,
    manager = OURSELVES,
  ): KubeObject {
    const object = this.#take(kind, namespace, body)
    if (object.metadata.name !== name) {
      throw badRequest(
        `the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`,
      )
    }
    const before = this.#all(kind).get(`${namespace}/${name}`)
    if (!before && kind.createOnUpdate) return this.create(kind, namespace, object, manager)
    if (!before) throw notFound(resourceOf(kind), name)
    this.#compareVersions(kind, before, object)
    refuseIf(kind, name, [...metadataCauses(object.metadata, kind.names), ...kind.causes(object, before)])
    const { uid, creationTimestamp, resourceVersion, managedFields } = before.metadata
    Object.assign(object.metadata, { uid, creationTimestamp, resourceVersion, managedFields })
    // The real server skips a write that changes nothing: no new version, nobody is woken.
    if (isDeepStrictEqual(before, object)) return before
    return this.#write(kind, before, object, manager)
  }

  /** Gives the object that was deleted. */
  remove(kind: ResourceKind, namespace: string, name: string, expected: Preconditions = {}): KubeObject {
    const object = this.get(kind, namespace, name)
    const { uid, resourceVersion } = object.metadata
    if (expected.uid !== undefined && expected.uid !== uid) {
      throw conflict(
        kind.kind,
        name,
        `the UID in the precondition (${expected.uid}) does not match the UID in record (${uid})`,
      )
    }
    if (expected.resourceVersion !== undefined && expected.resourceVersion !== resourceVersion) {
      throw conflict(
        kind.kind,
        name,
        `the ResourceVersion in the precondition (${expected.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion})`,
      )
    }
    this.#all(kind).delete(`${namespace}/${name}`)
    this.#resourceVersion += 1
    this.history(kind).add({ resourceVersion: this.#resourceVersion, before: object, after: undefined })
    return object
  }

  /** Forgets the changes that watches could go back to: they get 410, as after a restart of the API server. */
  forgetHistory(): void {
    for (const history of this.#histories.values()) history.forget(this.#resourceVersion)
  }

  /** A backup of everything. */
  snapshot(): StoreSnapshot {
    const objects = new Map([...this.#objects].map(([kind, all]) => [kind, new Map(all)] as const))
    return { objects, resourceVersion: this.#resourceVersion }
  }

  /**
   * Puts a backup in the place of everything, as `etcdutl snapshot restore` does: objects have their earlier uid and
   * resourceVersion again, and later writes use versions that were used before.
   */
  restore({ objects, resourceVersion }: StoreSnapshot): void {
    for (const [kind, all] of objects) this.#objects.set(kind, new Map(all))
    this.#resourceVersion = resourceVersion
    this.forgetHistory()
  }

  #all(kind: ResourceKind): Map<string, KubeObject> {
    return given(this.#objects.get(kind))
  }

  #take(kind: ResourceKind, namespace: string, body: unknown): KubeObject {
    const object = kind.decode(decodeObject(kind, body))
    const said = object.metadata.namespace
    if (said && said !== namespace) {
      throw badRequest(
        `the namespace of the object (${said}) does not match the namespace on the request (${namespace})`,
      )
    }
    if (kind.namespaced) object.metadata.namespace = namespace
    return object
  }

  #compareVersions(kind: ResourceKind, before: KubeObject, after: KubeObject): void {
    const { uid, resourceVersion, name } = after.metadata
    if (uid && uid !== before.metadata.uid)
      throw conflict(resourceOf(kind), name, `Precondition failed: UID ${uid}`)
    if (isVersion(resourceVersion)) {
      if (resourceVersion !== before.metadata.resourceVersion)
        throw conflict(resourceOf(kind), name, MODIFIED)
      return
    }
    if (kind.unconditionalUpdate) return
    const message = "Invalid value: 0x0: must be specified for an update"
    throw invalid(resourceOf(kind), name, [
      { reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" },
    ])
  }

  #needNamespace(kind: ResourceKind, namespace: string): void {
    if (!kind.namespaced || this.#all(NAMESPACES).has(`/${namespace}`)) return
    if (!this.#createNamespaces) throw notFound("namespaces", namespace)
    this.#createNamespace(namespace)
  }

  #createNamespace(name: string): void {
    this.create(NAMESPACES, "", { metadata: { name } })
  }

  #write(kind: ResourceKind, before: KubeObject | undefined, after: KubeObject, manager: string): KubeObject {
    this.#resourceVersion += 1
    const managed = before?.metadata.managedFields ?? []
    after.metadata.managedFields = managedAfter(managed, manager, apiVersionOf(kind), this.#now())
    after.metadata.resourceVersion = String(this.#resourceVersion)
    this.#all(kind).set(`${after.metadata.namespace ?? ""}/${after.metadata.name}`, after)
    this.history(kind).add({ resourceVersion: this.#resourceVersion, before, after })
    return after
  }
}

/** `configmaps`, `leases.coordination.k8s.io`: what messages call it. */
function resourceOf(kind: ResourceKind): string {
  return kind.group ? `${kind.resource}.${kind.group}` : kind.resource
}

function decodeObject(kind: ResourceKind, body: unknown): KubeObject {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`)
  }
  const given = copyJson(body) as Partial<KubeObject>
  if (given.kind !== undefined && given.kind !== kind.kind) {
    throw badRequest(`${given.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`)
  }
  const metadata = {
    ...pick(given.metadata ?? {}, METADATA_FIELDS),
    name: given.metadata?.name ?? "",
  } as KubeObjectMeta
  for (const field of ["labels", "annotations"] as const) {
    const map = decodeTextMap(metadata[field], `${kind.kind}.ObjectMeta.${field}`)
    delete metadata[field]
    if (map) metadata[field] = map
  }
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...pick(given, kind.fields) }
}

function pick(object: object, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([field]) => fields.includes(field)))
}

/** `"0"` and `""` say "any version", like no resourceVersion at all. */
function isVersion(resourceVersion: string | undefined): boolean {
  if (resourceVersion === undefined || resourceVersion === "" || resourceVersion === "0") return false
  if (!/^\d+$/.test(resourceVersion))
    throw new ApiFailure(500, "", `parsing "${resourceVersion}": invalid syntax`)
  return true
}

function refuseIf(kind: ResourceKind, name: string, causes: Parameters<typeof invalid>[2]): void {
  if (causes.length > 0) throw invalid(kind.kind, name, causes)
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw badRequest("this kind of object is not served")
  return value
}
