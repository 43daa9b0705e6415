import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import type { ReconcileOutcome, ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import { openIntent } from "@headrace/shared/record/intents"
import type { Intent, SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { isRecord, isTarget, withKube, withRecord } from "./broken-ports.ts"
import type { ModelRepository } from "./model-repository.ts"
import { OWN_NAMESPACE } from "./model-sources.ts"
import { SOUND, type Subject } from "./subject.ts"

/** The code with one of its rules broken, and what must be seen of it. */
export interface Mutant {
  subject: Subject
  /** Of the Violation that it must be caught by: the promise that the broken rule keeps. */
  breaks: RegExp
  /** One that shows it early, where the usual one does not. */
  seed?: number
  /** Where fast-check begins among the schedules of its seed; absent: with the first. */
  path?: string
}

const GOES_BACK = /^Error: 2: \S+ went back|^Error: 2: two commits have the token/
const SPOILT = /^Error: 1, not what the commit gives/

/**
 * Each undoes a rule by a port, from outside, so that the code itself carries no switches. The model must catch
 * every one: else it proves nothing.
 */
export const MUTANTS: { readonly [name: string]: Mutant } = {
  "no token check": { subject: withKube(blindToTokens), breaks: GOES_BACK },
  "no re-check after a conflict": { subject: withKube(forcefulAfterConflict), breaks: GOES_BACK },
  "record before targets": { subject: withKube(targetsLast), breaks: SPOILT, path: "484" },
  "no intent": { subject: withKube(secretIntents), breaks: SPOILT, path: "15" },
  "intents not stamped onto equal content": {
    subject: withKube(contentAlone),
    breaks: SPOILT,
    path: "15",
  },
  "done when seq is greater or equal": {
    subject: { ...SOUND, reconcile: doneWhenBeyond },
    breaks: /^Error: 1: .* and is silent/,
    path: "33",
  },
  "garbage collection without regard to intents": {
    subject: { ...SOUND, collectGarbage: heedless },
    breaks: /^Error: store: .* cannot be assembled/,
    seed: 20_260_101,
    path: "74",
  },
  "counts by first parents alone": {
    subject: { ...SOUND, reconcile: countingFirstParents },
    breaks: /^Error: 6a: /,
    path: "6",
  },
}

/**
 * Counts wrongly, by first parents alone. Since decision 036 a token smaller than what is shown takes a new epoch, so that
 * nothing goes back; that a count is wrong is seen at every swap.
 */
export const WRONG_COUNT: Subject = { ...SOUND, reconcile: countingFirstParents }

/** A target's token reads as if it were the smallest. */
function blindToTokens(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async get(...args) {
      const found = await kube.get(...args)
      if (found === undefined || !isTarget(found)) return found
      const annotations = {
        ...found.metadata.annotations,
        "headrace.dev/epoch": "0",
        "headrace.dev/seq": "0",
      }
      return { ...found, metadata: { ...found.metadata, annotations } }
    },
  }
}

/** A conflict is answered by the same write again, with the resourceVersion that is there now. */
function forcefulAfterConflict(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      try {
        return await kube.replace(configMap, signal)
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== "kube/conflict" || !isTarget(configMap))
          throw error
        const { namespace, name } = configMap.metadata
        const { resourceVersion } = (await kube.get(namespace, name, signal))?.metadata ?? {}
        if (resourceVersion === undefined) throw error
        return kube.replace({ ...configMap, metadata: { ...configMap.metadata, resourceVersion } }, signal)
      }
    },
  }
}

/** Targets of begun work are written when the record shows the new commit already. */
function targetsLast(kube: ConfigMapWriter): ConfigMapWriter {
  const late: (() => Promise<unknown>)[] = []
  let begun = false
  return {
    ...kube,
    async create(configMap, signal) {
      if (!begun || !isTarget(configMap)) return kube.create(configMap, signal)
      late.push(() => kube.create(configMap, signal))
      return configMap
    },
    async replace(configMap, signal) {
      if (begun && isTarget(configMap)) {
        late.push(() => kube.replace(configMap, signal))
        return configMap
      }
      const result = await kube.replace(configMap, signal)
      if (!isRecord(configMap)) return result
      begun = readRecord(configMap).intents.length > 0
      if (!begun) for (const write of late.splice(0)) await write().catch(() => undefined)
      return result
    },
  }
}

/** A worker knows its own intent, and shares it with no other. */
function secretIntents(kube: ConfigMapWriter): ConfigMapWriter {
  let own: Intent[] = []
  function hidden(configMap: ConfigMap): ConfigMap {
    if (!isRecord(configMap)) return configMap
    const record = readRecord(configMap)
    own = record.intents
    return withRecord(configMap, { ...record, intents: [] })
  }
  function shown(configMap: ConfigMap): ConfigMap {
    return isRecord(configMap)
      ? withRecord(configMap, own.reduce(openIntent, readRecord(configMap)))
      : configMap
  }
  return {
    ...kube,
    async get(...args) {
      const found = await kube.get(...args)
      return found && shown(found)
    },
    create: async (configMap, signal) => shown(await kube.create(hidden(configMap), signal)),
    replace: async (configMap, signal) => shown(await kube.replace(hidden(configMap), signal)),
  }
}

/** A target whose content is right already is not written for its token's sake. */
function contentAlone(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      if (!isTarget(configMap)) return kube.replace(configMap, signal)
      const existing = await kube.get(configMap.metadata.namespace, configMap.metadata.name, signal)
      return existing && sameContent(existing, configMap) ? existing : kube.replace(configMap, signal)
    },
  }
}

/** Another commit of the same or a smaller count passes for the goal. */
async function doneWhenBeyond(
  ...[request, ports, signal]: Parameters<Subject["reconcile"]>
): Promise<ReconcileOutcome> {
  const configMap = await ports.kube.get(OWN_NAMESPACE, request.source, signal)
  const record = configMap && readRecord(configMap)
  const aim = await goalSeq(ports, record, signal)
  const idle =
    record && record.intents.length === 0 && record.failed.length === 0 && request.mode === "incremental"
  if (!idle || record.commit === null || record.token.seq < aim)
    return SOUND.reconcile(request, ports, signal)
  const { commit, token, stopped, failed } = record
  const stages = { fetch: 0, plan: 0, store: 0, view: 0, record: 0 }
  const done = { failed, foreign: [], written: 0, stages }
  return { result: "noop", record, commit, token, stopped, heldUntil: null, ...done }
}

async function goalSeq(
  { repository, rulesRepository }: ReconcilePorts,
  record: SourceRecord | undefined,
  signal: AbortSignal,
): Promise<number> {
  const tip = await repository.fetch(signal)
  const seq = record?.hold ? ((await repository.seqOf(record.hold.commit, signal)) ?? 0) : tip.seq
  return rulesRepository === repository ? seq : seq + (await rulesRepository.fetch(signal)).seq
}

function countingFirstParents(...[request, ports, signal]: Parameters<Subject["reconcile"]>) {
  const repository = firstParentCount(ports.repository as ModelRepository)
  const ownRules = ports.rulesRepository === ports.repository
  const rulesRepository = ownRules ? repository : ports.rulesRepository
  const changed: ReconcilePorts = { ...ports, repository, rulesRepository }
  return SOUND.reconcile(request, changed, signal)
}

function firstParentCount(repository: ModelRepository): SourceRepository {
  function count(commit: string): number {
    const [first] = repository.parentsOf(commit)
    return first === undefined ? 1 : 1 + count(first)
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

/** The collector sees records without their intents. */
function heedless(...[ports, signal]: Parameters<Subject["collectGarbage"]>) {
  const kube: ConfigMapWriter = {
    ...ports.kube,
    async list(...args) {
      const { items, resourceVersion } = await ports.kube.list(...args)
      const bare = items.map((item) =>
        isRecord(item) ? withRecord(item, { ...readRecord(item), intents: [] }) : item,
      )
      return { items: bare, resourceVersion }
    },
  }
  return SOUND.collectGarbage({ ...ports, kube }, signal)
}

function sameContent(a: ConfigMap, b: ConfigMap): boolean {
  return (
    JSON.stringify([a.data ?? {}, a.binaryData ?? {}]) === JSON.stringify([b.data ?? {}, b.binaryData ?? {}])
  )
}
