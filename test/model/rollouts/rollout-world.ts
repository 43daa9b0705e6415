import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { collectGarbage } from "@headrace/shared/reconcile/operate/collect-garbage"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { returnFailed } from "@headrace/shared/reconcile/return-failed"
import { createReconcileMemory, type ReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcileOutcome, ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import type { RolloutPorts } from "@headrace/shared/reconcile/run/rollout-ports"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { RolloutPolicy } from "@headrace/shared/rollout/policy"
import type { CheckAnswer } from "@headrace/shared/rollout/policy-checks"
import type { PeerRecord } from "@headrace/shared/rollout/seen-clusters"
import type { WriterBounds } from "@headrace/shared/settings/bounds"
import { Gates } from "@headrace/shared/settings/gates"
import { RolloutSettings } from "@headrace/shared/settings/rollout-settings"
import { reconcilePorts } from "../../harness/reconcile-ports.ts"
import { type ModelRepository, modelRepository, POINTER } from "../model-repository.ts"
import { recordOf } from "../record-of.ts"
import { answeringClient, away, type Cut, cutShort, Killed } from "./cut-short.ts"
import {
  type Effect,
  effectIn,
  lookAtRecord,
  type ModelNode,
  modelNode,
  type NodeRules,
  report,
  reportsOf,
} from "./model-node.ts"

export const SOURCE = "release"
const OWN = "headrace"
const quiet = new AbortController().signal
const ignore = () => undefined

/** One cluster with its API server, which may be away, and its nodes. */
export interface ModelCluster {
  name: string
  store: ObjectStore
  kube: ConfigMapWriter
  answers: boolean
  nodes: Map<string, ModelNode>
}

/** What is between the code and the world: a mutant breaks a rule here. */
export interface Broken {
  kube?(kube: ConfigMapWriter, cluster: ModelCluster, world: RolloutWorld): ConfigMapWriter
  rollout?(ports: RolloutPorts, cluster: ModelCluster, world: RolloutWorld): RolloutPorts
  node?: NodeRules
  /** True: a record that shows nothing takes the tip, as without stages. */
  blankTakesTip?: boolean
  /** True: nothing is judged before it is written. */
  withoutGates?: boolean
  /** What the garbage collector reads of a cluster. */
  collector?(kube: ConfigMapWriter): ConfigMapWriter
}

export interface RolloutWorld {
  now: number
  repository: ModelRepository
  /** Of the settings that every program has now, and of those that it began with. */
  policy: RolloutPolicy
  readonly firstPolicy: RolloutPolicy
  /** Of every program's settings; the usual ones unless given. */
  bounds?: WriterBounds
  clusters: Map<string, ModelCluster>
  effects: Map<string, Effect>
  /** What every http and prometheus check of the policy answers now. */
  answer: CheckAnswer
  /** One memory per process. */
  memories: ReconcileMemory[]
  broken: Broken
  /** Ends the pause of each process that is paused in the middle of a look. */
  paused: (() => void)[]
  /** The processes that are paused: they do nothing else meanwhile. */
  asleep: Set<number>
  /** Looks that were paused, until they have ended. */
  late: Set<Promise<unknown>>
  /** Every swap that was taken since they were last judged, in order. */
  swaps: { cluster: string; record: SourceRecord }[]
  /** By cluster: the record as it was swapped last. */
  last: Map<string, SourceRecord>
  cluster(name: string): ModelCluster
  /** `isPartUnknown`: a file of its target is a Git LFS pointer, so that the target keeps what it held. */
  commit(effect: Effect, isPartUnknown?: boolean): string
  record(cluster: string): Promise<SourceRecord | undefined>
  ports(cluster: string, process?: number, cut?: Cut): ReconcilePorts
  look(
    cluster: string,
    options?: { process?: number; mode?: "incremental" | "full"; stopAfter?: number; policy?: "none" },
  ): Promise<ReconcileOutcome | undefined>
  /** A look whose process is paused before a write, if it gets there: it goes on when `paused` is called. */
  lookAndPause(cluster: string, process: number, before: number): Promise<void>
  /** Lets every paused process go on, and waits until their looks have ended. */
  wake(): Promise<void>
  /** The plugin's own look at what has failed in a cluster, beside the lanes. */
  returnFailed(cluster: string): Promise<void>
  /** The garbage collector takes its turn in a cluster. */
  collect(cluster: string): Promise<void>
  /** A node reads its record and reports. */
  lookOfNode(cluster: string, node: string): Promise<void>
}

const SECOND = 1000
const GRACE_MS = 3_600_000
/** Broken YAML is refused; nothing else is. */
const GATES = Gates.parse({ files: [{ glob: "b/*.yaml", parse: "yaml" }] })
const REFUSED = "b/broken.yaml"
/** What a commit has where a part of its target is unknown. */
export const UNKNOWN = "a/unknown.txt"
const START = Date.UTC(2026, 0, 1)

/** Clusters by name with how many nodes each; the policy's stages as the settings have them. */
export function rolloutWorld(
  sizes: { [cluster: string]: number },
  settings: object,
  broken: Broken = {},
): RolloutWorld {
  const names = Object.keys(sizes).sort()
  const policy = { ...RolloutSettings.parse(settings), clusters: names }
  const rules = `config_updater:\n  maps:\n    a/*.txt: {name: alpha, clusters: {${names.map((name) => `${name}: [ci]`).join(", ")}}}\n`
  const repository = modelRepository(new Map(Object.entries({ "rules.yaml": rules, "a/x.txt": "0" })))
  let now = () => START
  const clusters = new Map(names.map((name) => [name, modelCluster(name, sizes[name] ?? 0, () => now())]))
  const world: RolloutWorld = {
    now: START,
    repository,
    policy,
    firstPolicy: policy,
    clusters,
    effects: new Map([[repository.tip(), "works"]]),
    answer: { passes: true },
    memories: [createReconcileMemory(), createReconcileMemory()],
    broken,
    paused: [],
    asleep: new Set(),
    late: new Set(),
    swaps: [],
    last: new Map(),
    cluster(name) {
      const found = clusters.get(name)
      if (found === undefined) throw new Error(`no cluster ${name}`)
      return found
    },
    commit(effect, isPartUnknown = false) {
      const files = new Map(repository.filesAt(repository.tip()))
      files.set("a/x.txt", `${world.effects.size}`)
      if (effect === "is refused") files.set(REFUSED, "a: [1\nb: 2\n")
      else files.delete(REFUSED)
      if (isPartUnknown) files.set(UNKNOWN, POINTER)
      repository.push(repository.add([repository.tip()], files))
      world.effects.set(repository.tip(), effect)
      return repository.tip()
    },
    async record(name) {
      const configMap = await inProcessClient(world.cluster(name).store).get(OWN, SOURCE)
      return configMap && recordOf(configMap)
    },
    ports: (name, process = 0, cut = {}) => portsOf(world, world.cluster(name), process, cut),
    async look(name, { process = 0, mode = "incremental", stopAfter, policy: given } = {}) {
      if (world.asleep.has(process)) return undefined
      const { rollout, ...plain } = world.ports(name, process, stopAfter === undefined ? {} : { stopAfter })
      const isBlank = broken.blankTakesTip === true && !(await world.record(name))?.commit
      const ports = given === "none" || isBlank || rollout === undefined ? plain : { ...plain, rollout }
      try {
        return await reconcile({ cluster: name, source: SOURCE, mode }, ports, new AbortController().signal)
      } catch (error) {
        if (error instanceof KubeError || error instanceof Killed) return undefined
        throw error
      }
    },
    async lookAndPause(name, process, writes) {
      if (world.asleep.has(process)) return
      const reached = Promise.withResolvers<void>()
      const fallAsleep = () => {
        world.asleep.add(process)
        reached.resolve()
      }
      const ports = world.ports(name, process, { pauseBefore: { writes, reached: fallAsleep } })
      const look = reconcile({ cluster: name, source: SOURCE, mode: "incremental" }, ports, quiet)
      const ended = look.then(ignore, (error: unknown) => {
        if (!(error instanceof HeadraceError)) throw error
      })
      world.late.add(ended)
      await Promise.race([reached.promise, ended])
    },
    async wake() {
      world.asleep.clear()
      for (const go of world.paused.splice(0)) go()
      await Promise.all(world.late)
      world.late.clear()
    },
    async returnFailed(name) {
      if (world.asleep.has(0)) return
      try {
        await returnFailed({ cluster: name, source: SOURCE }, world.ports(name), quiet)
      } catch (error) {
        if (!(error instanceof KubeError)) throw error
      }
    },
    async collect(name) {
      const { kube, answers } = world.cluster(name)
      // Its grace outlasts what a process is paused for.
      if (!answers || world.asleep.size > 0) return
      const read = broken.collector ? broken.collector(kube) : kube
      for (const passed of [0, GRACE_MS]) {
        const clock = { now: () => world.now + passed, sleep: async () => undefined }
        await collectGarbage({ kube: read, namespace: OWN, clock, grace: GRACE_MS }, quiet).catch(
          (error: unknown) => {
            // A record that was put back can name what is gone: nothing is removed then.
            if (!(error instanceof HeadraceError)) throw error
          },
        )
      }
    },
    async lookOfNode(name, nodeName) {
      const cluster = world.cluster(name)
      const node = cluster.nodes.get(nodeName)
      if (node === undefined || !cluster.answers) return
      const record = await world.record(name)
      if (record) await lookAtRecord(node, record, effectsFor(world, name, record), broken.node)
      report(node, world.now)
    },
  }
  now = () => world.now
  return world
}

function effectsFor(world: RolloutWorld, cluster: string, { candidate }: SourceRecord) {
  return (commit: string) => {
    const bound = candidate?.commit === commit ? candidate.bound : undefined
    return effectIn(world.effects.get(commit) ?? "works", cluster, bound)
  }
}

function modelCluster(name: string, size: number, now: () => number): ModelCluster {
  const store = new ObjectStore({ createNamespaces: true, now })
  const nodes = Array.from({ length: size }, (_, index) => {
    return modelNode(`${name}-${index}`, index % 2 === 0 ? { tier: "canary" } : {})
  })
  const kube = inProcessClient(store)
  return { name, store, kube, answers: true, nodes: new Map(nodes.map((node) => [node.name, node])) }
}

function portsOf(world: RolloutWorld, cluster: ModelCluster, process: number, cut: Cut): ReconcilePorts {
  const { broken, policy, clusters, repository } = world
  const answering = answeringClient(cluster)
  const kube = broken.kube ? broken.kube(answering, cluster, world) : answering
  const rollout: RolloutPorts = {
    policy,
    leads: true,
    async nodes() {
      if (!cluster.answers) throw away()
      return reportsOf(cluster.nodes.values(), world.now)
    },
    ask: async () => world.answer,
    async peers() {
      const others = [...clusters.values()].filter((other) => other !== cluster)
      return new Map(
        await Promise.all(others.map(async (other) => [other.name, await peerRecord(world, other)] as const)),
      )
    },
  }
  const memory = world.memories[process]
  return reconcilePorts({
    kube: cutShort(kube, cut, world.paused),
    repository,
    clock: { now: () => world.now, sleep: async () => undefined },
    settings: {
      clusters: new Map(policy.clusters.map((name) => [name, { namespaces: ["*"] }])),
      guard: "off",
      ...(broken.withoutGates ? {} : { gates: GATES }),
      ...(world.bounds ? { bounds: world.bounds } : {}),
      defaults: { cluster: policy.clusters[0] ?? "", namespace: "ci" },
    },
    ...(memory ? { memory } : {}),
    onSwap({ after }) {
      world.swaps.push({ cluster: cluster.name, record: after })
      world.last.set(cluster.name, after)
    },
    rollout: broken.rollout ? broken.rollout(rollout, cluster, world) : rollout,
  })
}

async function peerRecord(world: RolloutWorld, { name, answers }: ModelCluster): Promise<PeerRecord> {
  if (!answers) return "unreachable"
  const record = await world.record(name)
  return record === undefined || record.commit === null ? null : record
}

/** Every node that lives looks, then every cluster, once a second for so long. */
export async function runFor(world: RolloutWorld, seconds: number, process = 0): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    world.now += SECOND
    for (const { name, nodes } of world.clusters.values()) {
      for (const node of nodes.keys()) await world.lookOfNode(name, node)
      await world.look(name, { process })
    }
  }
}
