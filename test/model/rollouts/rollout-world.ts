import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory, type ReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcileOutcome, ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import type { RolloutPorts } from "@headrace/shared/reconcile/run/rollout-ports"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { RolloutPolicy } from "@headrace/shared/rollout/policy"
import type { CheckAnswer } from "@headrace/shared/rollout/policy-checks"
import type { PeerRecord } from "@headrace/shared/rollout/seen-clusters"
import { RolloutSettings } from "@headrace/shared/settings/rollout-settings"
import { reconcilePorts } from "../../harness/reconcile-ports.ts"
import { type ModelRepository, modelRepository } from "../model-repository.ts"
import { recordOf } from "../record-of.ts"
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
}

export interface RolloutWorld {
  now: number
  repository: ModelRepository
  policy: RolloutPolicy
  clusters: Map<string, ModelCluster>
  effects: Map<string, Effect>
  /** What every http and prometheus check of the policy answers now. */
  answer: CheckAnswer
  /** One memory per process. */
  memories: ReconcileMemory[]
  broken: Broken
  /** Every swap that was taken since they were last judged, in order. */
  swaps: { cluster: string; record: SourceRecord }[]
  /** By cluster: the record as it was swapped last. */
  last: Map<string, SourceRecord>
  cluster(name: string): ModelCluster
  commit(effect: Effect): string
  record(cluster: string): Promise<SourceRecord | undefined>
  ports(cluster: string, process?: number, stopAfter?: number): ReconcilePorts
  look(
    cluster: string,
    options?: { process?: number; mode?: "incremental" | "full"; stopAfter?: number; policy?: "none" },
  ): Promise<ReconcileOutcome | undefined>
  /** A node reads its record and reports. */
  lookOfNode(cluster: string, node: string): Promise<void>
}

const SECOND = 1000
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
    clusters,
    effects: new Map([[repository.tip(), "works"]]),
    answer: { passes: true },
    memories: [createReconcileMemory(), createReconcileMemory()],
    broken,
    swaps: [],
    last: new Map(),
    cluster(name) {
      const found = clusters.get(name)
      if (found === undefined) throw new Error(`no cluster ${name}`)
      return found
    },
    commit(effect) {
      const files = new Map(repository.filesAt(repository.tip()))
      files.set("a/x.txt", `${world.effects.size}`)
      repository.push(repository.add([repository.tip()], files))
      world.effects.set(repository.tip(), effect)
      return repository.tip()
    },
    async record(name) {
      const configMap = await inProcessClient(world.cluster(name).store).get(OWN, SOURCE)
      return configMap && recordOf(configMap)
    },
    ports: (name, process = 0, stopAfter) => portsOf(world, world.cluster(name), process, stopAfter),
    async look(name, { process = 0, mode = "incremental", stopAfter, policy: given } = {}) {
      const { rollout, ...plain } = world.ports(name, process, stopAfter)
      const isBlank = broken.blankTakesTip === true && !(await world.record(name))?.commit
      const ports = given === "none" || isBlank || rollout === undefined ? plain : { ...plain, rollout }
      try {
        return await reconcile({ cluster: name, source: SOURCE, mode }, ports, new AbortController().signal)
      } catch (error) {
        if (error instanceof KubeError || error instanceof Killed) return undefined
        throw error
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

/** The process died in the middle of what it did. */
class Killed extends Error {}

function modelCluster(name: string, size: number, now: () => number): ModelCluster {
  const store = new ObjectStore({ createNamespaces: true, now })
  const nodes = Array.from({ length: size }, (_, index) => modelNode(`${name}-${index}`))
  const kube = inProcessClient(store)
  return { name, store, kube, answers: true, nodes: new Map(nodes.map((node) => [node.name, node])) }
}

function portsOf(
  world: RolloutWorld,
  cluster: ModelCluster,
  process: number,
  stopAfter: number | undefined,
): ReconcilePorts {
  const { broken, policy, clusters, repository } = world
  const answering = mayBeAway(cluster)
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
    kube: stopAfter === undefined ? kube : killedAfter(kube, stopAfter),
    repository,
    clock: { now: () => world.now, sleep: async () => undefined },
    settings: {
      clusters: new Map(policy.clusters.map((name) => [name, { namespaces: ["*"] }])),
      guard: "off",
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

function away(): KubeError {
  return new KubeError("kube/forbidden", "the API server is away")
}

function mayBeAway(cluster: ModelCluster): ConfigMapWriter {
  return before(cluster.kube, () => {
    if (!cluster.answers) throw away()
  })
}

/** Its process is killed instead of the next write, after so many. */
function killedAfter(kube: ConfigMapWriter, writes: number): ConfigMapWriter {
  let done = 0
  return before(kube, (verb) => {
    if (verb === "read") return
    if (done >= writes) throw new Killed()
    done += 1
  })
}

function before(kube: ConfigMapWriter, act: (verb: "read" | "write") => void): ConfigMapWriter {
  function after<Args extends unknown[], Result>(
    verb: "read" | "write",
    call: (...args: Args) => Promise<Result>,
  ) {
    return async (...args: Args): Promise<Result> => {
      act(verb)
      return call(...args)
    }
  }
  return {
    ...kube,
    get: after("read", kube.get),
    list: after("read", kube.list),
    listMetadata: after("read", kube.listMetadata),
    create: after("write", kube.create),
    replace: after("write", kube.replace),
    remove: after("write", kube.remove),
  }
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
