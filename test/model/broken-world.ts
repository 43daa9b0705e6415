import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { hasCode } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import type { TreePlan } from "@headrace/shared/plan/plan-targets"
import { rulesDigestAt } from "@headrace/shared/reconcile/decide/plan-at"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import { contentDigest } from "@headrace/shared/reconcile/target/content-digest"
import { readStamp } from "@headrace/shared/reconcile/target/ownership"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { isRecord, isTarget, withRecord } from "./broken-ports.ts"
import type { ModelRepository } from "./model-repository.ts"
import { OWN_NAMESPACE } from "./model-sources.ts"
import { SOUND, type Subject } from "./subject.ts"

const BLANK_TWIN = "b".repeat(40)

/** A file of nothing has another name and a size, so that it is not known for one. */
export function blankAsContent(repository: SourceRepository): SourceRepository {
  return {
    ...repository,
    async tree(...args) {
      const tree = await repository.tree(...args)
      const files = tree.files.map((file) => (file.size === 0 ? { ...file, oid: BLANK_TWIN, size: 1 } : file))
      return { ...tree, files }
    },
    async blobs(oids, signal) {
      const known = oids.filter((oid) => oid !== BLANK_TWIN)
      const found = await repository.blobs(known, signal)
      const byId = new Map(known.map((oid, index) => [oid, found[index]]))
      return oids.map((oid) => byId.get(oid) ?? Buffer.from(" "))
    },
  }
}

/** That a target could not be read is nowhere said: neither by the code of its failure nor by what it held. */
export function forgettingUnread(record: SourceRecord): SourceRecord {
  const failed = record.failed.map(({ target, reason, since }) => {
    return { target, reason: reason.replace(/^reconcile\/unread: /, ""), since }
  })
  return { ...record, failed, failures: null }
}

/** Until work is begun no target is there, and the record names no store. */
export function blindToWhatIsHeld(kube: ConfigMapWriter): ConfigMapWriter {
  return withoutStoreUntilBegun(kube, () => undefined)
}

/** Until work is begun each target holds what its stamp says, and the record names no store. */
export function takingAllForOurs(kube: ConfigMapWriter): ConfigMapWriter {
  return withoutStoreUntilBegun(kube, (target) => {
    const { annotations } = target.metadata
    const content = { "headrace.dev/content": contentDigest(target) }
    return { ...target, metadata: { ...target.metadata, annotations: { ...annotations, ...content } } }
  })
}

/** `shown` gives what is read of a target until work is begun. */
function withoutStoreUntilBegun(
  kube: ConfigMapWriter,
  shown: (target: ConfigMap) => ConfigMap | undefined,
): ConfigMapWriter {
  let root: string | null = null
  let begun = false
  return {
    ...kube,
    async get(...args) {
      const found = await kube.get(...args)
      if (found === undefined) return undefined
      if (isTarget(found)) return begun ? found : shown(found)
      if (!isRecord(found)) return found
      const record = readRecord(found)
      root = record.root
      begun = record.intents.length > 0
      return begun ? found : withRecord(found, { ...record, root: null })
    },
    async replace(configMap, signal) {
      if (!isRecord(configMap)) return kube.replace(configMap, signal)
      const record = readRecord(configMap)
      begun = record.intents.length > 0
      return kube.replace(begun ? withRecord(configMap, { ...record, root }) : configMap, signal)
    },
  }
}

/** The record is taken to show still what this run has applied. */
export async function pruneByOwnPlan(
  ...[ports, place, signal, shown]: Parameters<Subject["findOrphans"]>
): ReturnType<Subject["findOrphans"]> {
  const { commit = null, token } = shown ?? {}
  async function get(...args: Parameters<ConfigMapWriter["get"]>) {
    const found = await ports.kube.get(...args)
    if (!found || !isRecord(found) || commit === null || token === undefined) return found
    const record = readRecord(found)
    const revision = { commit, rulesCommit: record.rulesCommit }
    const rules = await rulesDigestAt(ports, createReconcileMemory(), revision, signal)
    return withRecord(found, { ...record, ...revision, token, rules, intents: [], stopped: null })
  }
  return SOUND.findOrphans({ ...ports, kube: { ...ports.kube, get } }, place, signal, shown)
}

/** As git walks from a commit by dates: what is newer than the commit itself is left out. */
export function countingByDates(repository: SourceRepository, behind: ModelRepository): SourceRepository {
  function count(commit: string): number {
    const own = behind.dateOf(commit)
    const seen = new Set([commit])
    for (const one of seen) {
      for (const parent of behind.parentsOf(one)) if (behind.dateOf(parent) <= own) seen.add(parent)
    }
    return seen.size
  }
  return {
    ...repository,
    async fetch(signal) {
      const { commit } = await repository.fetch(signal)
      return { commit, seq: count(commit) }
    },
    seqOf: async (commit, signal) =>
      (await repository.seqOf(commit, signal)) === undefined ? undefined : count(commit),
  }
}

/** Mirrors have every commit that a stamp names, and count it as the stamp does. */
export function believingStamps(ports: ReconcilePorts): ReconcilePorts {
  const stamped = new Map<string, number>()
  const repository: SourceRepository = {
    ...ports.repository,
    seqOf: async (commit, signal) => (await ports.repository.seqOf(commit, signal)) ?? stamped.get(commit),
  }
  const kube: ConfigMapWriter = {
    ...ports.kube,
    async get(...args) {
      const found = await ports.kube.get(...args)
      const stamp = found && isTarget(found) ? readStamp(found) : undefined
      if (stamp) stamped.set(stamp.commit, stamp.token.seq)
      return found
    },
  }
  const isOwn = ports.rulesRepository === ports.repository
  return { ...ports, kube, repository, rulesRepository: isOwn ? repository : ports.rulesRepository }
}

/** A run that has opened an intent takes the record for the one that it has written, until a swap is refused. */
export function trustingOwnRecord(kube: ConfigMapWriter): ConfigMapWriter {
  let written: ConfigMap | undefined
  return {
    ...kube,
    get: async (...args) =>
      written && args[0] === OWN_NAMESPACE && args[1] === written.metadata.name ? written : kube.get(...args),
    async replace(configMap, signal) {
      if (!isRecord(configMap)) return kube.replace(configMap, signal)
      written = undefined
      const result = await kube.replace(configMap, signal)
      written = readRecord(result).intents.length > 0 ? result : undefined
      return result
    },
  }
}

export function forbiddenAsInvalid(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    get: (...args) =>
      kube.get(...args).catch((error: unknown) => {
        throw hasCode(error, "kube/forbidden") ? new KubeError("kube/invalid", String(error)) : error
      }),
  }
}

/** What is written has the metadata that a client knows of, and no more. */
export function bareMetadata(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      if (!isTarget(configMap)) return kube.replace(configMap, signal)
      const { ownerReferences: _, finalizers: __, ...metadata } = configMap.metadata
      return kube.replace({ ...configMap, metadata }, signal)
    },
  }
}

/** Whatever an API server answers to a write is taken for what was sent. */
export function keptAsSent(kube: ConfigMapWriter): ConfigMapWriter {
  async function asSent(
    write: ConfigMapWriter["create"],
    ...[configMap, signal]: Parameters<typeof kube.create>
  ) {
    const { metadata } = await write(configMap, signal)
    const { labels = {}, annotations = {} } = configMap.metadata
    return { ...configMap, metadata: { ...metadata, labels, annotations } }
  }
  return {
    ...kube,
    create: (...args) => asSent(kube.create, ...args),
    replace: (...args) => asSent(kube.replace, ...args),
  }
}

/** A view that has the version of the last write is taken to hold what was written then. */
export function trustingVersions(ports: ReconcilePorts): ReconcilePorts {
  const { memory = createReconcileMemory() } = ports
  const digests = new Map<string, string>()
  return {
    ...ports,
    kube: {
      ...ports.kube,
      async get(...args) {
        const found = await ports.kube.get(...args)
        if (found && isTarget(found)) {
          const { namespace, name, resourceVersion } = found.metadata
          digests.set(`${namespace}/${name} ${resourceVersion}`, contentDigest(found))
        }
        return found
      },
    },
    memory: {
      ...memory,
      views: {
        set: memory.views.set,
        get(key) {
          const view = memory.views.get(key)
          const place = key.split("/").slice(-2).join("/")
          const content = view && digests.get(`${place} ${view.resourceVersion}`)
          return view && { ...view, content: content ?? view.content }
        },
      },
    },
  }
}

/** A process keeps one warm plan for each source, whatever rules and settings it was made under. */
export function keepingWarmPlans(ports: ReconcilePorts): ReconcilePorts {
  const { memory } = ports
  if (memory === undefined) return ports
  const nearPlans = {
    get: () => memory.nearPlans.get(""),
    set: (_: string, made: TreePlan) => memory.nearPlans.set("", made),
  }
  return { ...ports, memory: { ...memory, nearPlans } }
}
