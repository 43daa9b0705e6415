import type { ConfigMapReader } from "../kube/config-map-api.ts"
import { KubeError } from "../kube/kube-error.ts"
import type { Lease, LeaseReader } from "../kube/lease-api.ts"
import { placeText } from "../reconcile/run/cluster-plan.ts"
import { indexReader } from "../reconcile/store/read-store.ts"
import { REPORT_SELECTOR } from "../record/node-report.ts"
import { type FailedTarget, readFailedTarget, type SourceRecord } from "../record/record.ts"
import { readRecord } from "../record/record-config-map.ts"
import { type Verification, verificationOf } from "../record/verification.ts"
import { listFailures, listNodes, listTargets } from "../record/walk-index.ts"
import { type Answer, type Ask, answered, unanswered } from "./answer.ts"
import type { CollectPorts } from "./collect-ports.ts"
import type { ClusterSourceFacts, StoreSize } from "./fleet-facts.ts"
import type { WordStatus } from "./fleet-status.ts"
import { waitingWords } from "./waiting-words.ts"

/** Collects what one cluster has of these sources. */
export async function collectCluster(
  ports: CollectPorts,
  cluster: string,
  sources: readonly string[],
  ask: Ask,
): Promise<ClusterSourceFacts[]> {
  const { namespace, programsNamespace } = ports.settings
  const who = `cluster ${cluster}`
  const kube = await ask(who, () => ports.kube(cluster))
  if (!kube.known) return sources.map((source) => unreachable(ports, { cluster, source }, kube))
  const leases = await ask(who, (signal) => readLeases(kube.value, [namespace, programsNamespace], signal))
  return Promise.all(
    sources.map((source) => collectSource(ports, { kube: kube.value, cluster, source, leases }, ask)),
  )
}

function unreachable(
  { settings }: CollectPorts,
  { cluster, source }: { cluster: string; source: string },
  answer: Answer<never>,
): ClusterSourceFacts {
  const keepsStore = settings.clusters[cluster]?.store ?? true
  const recordName = `${settings.namespace}/${source}`
  const pace = settings.sources[source]?.rollout
  const unknown = { pace, record: answer, leases: answer, failed: answer, store: answer, orphans: answer }
  return { cluster, source, keepsStore, recordName, ...unknown }
}

async function collectSource(
  ports: CollectPorts,
  {
    kube,
    cluster,
    source,
    leases,
  }: {
    kube: ConfigMapReader & LeaseReader
    cluster: string
    source: string
    leases: ClusterSourceFacts["leases"]
  },
  ask: Ask,
): Promise<ClusterSourceFacts> {
  const { namespace } = ports.settings
  const who = `cluster ${cluster}`
  let verification: Verification | undefined
  const record = await ask(who, async (signal) => {
    const configMap = await kube.get(namespace, source, signal)
    const shown = configMap && readRecord(configMap)
    if (shown && isVerified(ports.settings, source)) verification = verificationOf(configMap, shown)
    return shown
  })
  const words = await askWords(ports, { kube, source }, (question) => ask(who, question))
  if (!record.known) {
    return { ...unreachable(ports, { cluster, source }, record), leases, words }
  }
  const place = unreachable(ports, { cluster, source }, unanswered(new Error("not asked")))
  if (record.value === undefined) {
    const nothing = { failed: answered([]), store: answered(undefined), orphans: answered([]) }
    return { ...place, record, leases, words, ...nothing }
  }
  const shown = record.value
  const store = { ...ports, kube }
  const [failed, size, orphans, expected] = await Promise.all([
    ask(who, (signal) => allFailed(store, shown, signal)),
    ask(who, (signal) => storeSize(store, shown.root, signal)),
    ask(who, (signal) => orphansOf(ports, { cluster, source }, signal)),
    ask(who, (signal) => expectedNodes(store, shown, signal)),
  ])
  const stage = expected.known ? { expected: expected.value } : {}
  return { ...place, record, verification, leases, words, failed, store: size, orphans, ...stage }
}

async function askWords(
  { settings, clock }: CollectPorts,
  { kube, source }: { kube: ConfigMapReader; source: string },
  ask: (question: (signal: AbortSignal) => Promise<WordStatus[]>) => Promise<Answer<WordStatus[]>>,
): Promise<ClusterSourceFacts["words"]> {
  const namespace = settings.signing?.words
  if (namespace === undefined) return undefined
  return ask((signal) => waitingWords({ kube, clock }, { namespace, source }, signal))
}

/** True where the commits of a source, or those of its rules, are to be signed. */
function isVerified({ sources }: CollectPorts["settings"], name: string): boolean {
  const { verify, rules } = sources[name] ?? {}
  const other = rules === undefined || typeof rules === "string" ? undefined : sources[rules.source]
  return verify !== undefined || other?.verify !== undefined
}

/** Undefined where they may not be listed (a Role from before there were reports). Throws KubeError. */
async function readLeases(
  kube: LeaseReader,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<Lease[] | undefined> {
  try {
    const unique = [...new Set(namespaces)]
    const lists = unique.map((namespace) => kube.listLeases(namespace, REPORT_SELECTOR, signal))
    return (await Promise.all(lists)).flat()
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/forbidden") return undefined
    throw error
  }
}

type StorePorts = Pick<CollectPorts, "settings" | "clock" | "memory"> & { kube: ConfigMapReader }

/** Every failed target, those that the record has no room for too. Throws `store/…`, `bundle/…`, `kube/…`. */
async function allFailed(
  ports: StorePorts,
  { failed, failures }: SourceRecord,
  signal: AbortSignal,
): Promise<readonly FailedTarget[]> {
  if (failures === null) return failed
  const listed = await listFailures(failures, indexReader(ports, ports.memory, signal))
  return listed.map(({ target, reason, since }) => readFailedTarget({ target, reason, since }))
}

/** The nodes that the stage of a rollout rests on; undefined: none is under way, or it rests on none yet. */
async function expectedNodes(
  ports: StorePorts,
  { candidate }: SourceRecord,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const nodes = candidate?.expected.nodes ?? null
  return nodes === null
    ? undefined
    : (await listNodes(nodes, indexReader(ports, ports.memory, signal))).expected
}

async function storeSize(
  ports: StorePorts,
  root: string | null,
  signal: AbortSignal,
): Promise<StoreSize | undefined> {
  if (root === null) return undefined
  const targets = await listTargets(root, indexReader(ports, ports.memory, signal))
  return {
    targets: targets.length,
    files: targets.reduce((files, target) => files + target.files, 0),
    bytes: targets.reduce((bytes, target) => bytes + target.bytes, 0),
  }
}

async function orphansOf(
  { orphans }: CollectPorts,
  { cluster, source }: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { found, unknown } = (await orphans?.(cluster, source, signal)) ?? { found: [], unknown: undefined }
  if (unknown !== undefined) throw new Error(unknown)
  return found.map(placeText)
}
