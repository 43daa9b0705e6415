import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import type { RolloutPorts } from "@headrace/shared/reconcile/run/rollout-ports"
import { epochInForce } from "@headrace/shared/record/intents"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord, recordConfigMap } from "@headrace/shared/record/record-config-map"
import { compareTokens } from "@headrace/shared/record/token"
import type { ReportedNode } from "@headrace/shared/rollout/reported-node"
import type { RolloutSchedule } from "./rollout-schedule.ts"
import type { Broken, ModelCluster, RolloutWorld } from "./rollout-world.ts"

/** The code with one rule of a rollout broken from outside, and what must be seen of it. */
export interface RolloutMutant {
  broken: Broken
  breaks: RegExp
  /** Where fast-check begins among the schedules of its seed; absent: with the first. */
  path?: string
  /** A schedule that shows it, where few of the seed do. */
  schedule?: RolloutSchedule
}

const look = { kind: "look", process: 0, full: false, stopAfter: undefined } as const

/** The leader's rollout goes on without build, the first of the other clusters, and with the leader. */
const SKIPS_ONE: RolloutSchedule = {
  ...{ sizes: [2, 2, 2], newer: "restart", onFailure: "return", healthy: "100%", labels: false, dies: false },
  ops: [
    { kind: "commit", effect: "works" },
    { ...look, cluster: 1 },
    { kind: "skip", cluster: 1 },
    { ...look, cluster: 0 },
    { ...look, cluster: 2 },
  ],
}

/** The ten that the design names, those for what was added since, and what they break. */
export const ROLLOUT_MUTANTS: { readonly [name: string]: RolloutMutant } = {
  "dead nodes leave the denominator": {
    broken: {
      rollout: (ports, cluster, world) =>
        withNodes(ports, (node) =>
          cluster.nodes.get(node.node)?.alive
            ? node
            : asIfShown({ ...node, version: String(world.now) }, lastRecord(world, cluster)),
        ),
    },
    breaks: /^Error: R4: .*without a report/,
  },
  "an empty stage passes": {
    broken: { rollout: withoutNodes },
    breaks: /^Error: R4: an empty stage/,
  },
  "health of the previous revision is counted": {
    broken: {
      rollout: (ports, cluster, world) =>
        withNodes(ports, (node) => asIfShown(node, lastRecord(world, cluster))),
    },
    breaks: /^Error: R[24]: /,
    path: "117",
  },
  "promoted before the bake's last report": {
    broken: {
      rollout: (ports, _, world) =>
        withNodes(ports, (node) => ({ ...node, version: `${node.version} ${world.now}` })),
    },
    breaks: /^Error: R4: .*without a report/,
    path: "1",
  },
  "a return without a new epoch": {
    broken: { kube: (kube) => withSwap(kube, inOldEpoch) },
    breaks: /^Error: R[345]: /,
  },
  "a return without an intent while the view is half written": {
    broken: { kube: (kube) => withSwap(kube, withoutReturnIntent) },
    breaks: /^Error: R3: the view/,
    path: "23",
  },
  "a rejection read from one record alone": {
    broken: { rollout: (ports) => withPeers(ports, withoutRejection) },
    breaks: /^Error: R2: /,
    path: "3",
  },
  "a lost record takes the tip": { broken: { blankTakesTip: true }, breaks: /^Error: R2: /, path: "23" },
  "the view is written at the first stage": {
    broken: { kube: withEarlyView },
    breaks: /^Error: R1: the view/,
  },
  "a skipped cluster has every other one skipped too": {
    broken: { rollout: (ports, { name }) => withPeers(ports, skippingAllBut(name, ports.policy.clusters)) },
    breaks: /^Error: R1: \S+ is in stage/,
    schedule: SKIPS_ONE,
  },
  "garbage collection knows no candidates": {
    broken: { collector: (kube) => withRead(kube, (record) => ({ ...record, candidate: null })) },
    breaks: /^Error: R3: object/,
    path: "145",
  },
  "a failure returns where the policy stops": {
    broken: { rollout: (ports) => ({ ...ports, policy: { ...ports.policy, onFailure: "return" } }) },
    breaks: /^Error: R2: .*though a failure stops/,
    path: "30",
  },
  "other nodes take the place of ill ones": {
    broken: { rollout: withoutIll },
    breaks: /^Error: R1: .*more than its share/,
    path: "78",
  },
  "a node takes a candidate that is for other labels": {
    broken: { node: { keepsReturn: true, ignoresLabels: true } },
    breaks: /^Error: R1: node \S+ shows a candidate outside/,
    path: "1",
  },
  "a tenth of the nodes is enough": {
    broken: { rollout: enoughWith(0.1) },
    breaks: /^Error: R[24]: /,
  },
  "a writer that was paused is not refused by the epoch": {
    broken: { kube: withoutFence },
    breaks: /^Error: R[1-4]: /,
    path: "24",
  },
  "a rollout goes on under other settings": {
    broken: { rollout: (ports, _, { firstPolicy }) => ({ ...ports, policy: firstPolicy }) },
    breaks: /^Error: R1: .*were replaced/,
    path: "145",
  },
  "nothing is judged by gates": {
    broken: { withoutGates: true },
    breaks: /^Error: R2: .*is refused/,
    path: "12",
  },
  "a node's own return is undone by its next look": {
    broken: { node: { keepsReturn: false } },
    breaks: /^Error: R1: node \S+ shows again/,
    path: "3",
  },
}

function isRecord(configMap: ConfigMap): boolean {
  return configMap.metadata.labels?.["app.kubernetes.io/component"] === "record"
}

/** Each swap of a record is of what `change` makes of it. */
function withSwap(
  kube: ConfigMapWriter,
  change: (next: SourceRecord, before: SourceRecord) => SourceRecord,
): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      if (!isRecord(configMap)) return kube.replace(configMap, signal)
      const { namespace, name } = configMap.metadata
      const before = await kube.get(namespace, name, signal)
      if (before === undefined) return kube.replace(configMap, signal)
      const changed = change(readRecord(configMap), readRecord(before))
      return kube.replace({ ...configMap, data: recordConfigMap(namespace, changed).data ?? {} }, signal)
    },
  }
}

/** No node counts, and a check that always passes has a say: so a stage of none begins, and passes. */
function withoutNodes(ports: RolloutPorts): RolloutPorts {
  const http = [{ url: "http://probe/", every: 1000 }]
  const policy = { ...ports.policy, health: { ...ports.policy.health, http } }
  return { ...ports, policy, nodes: async () => [] }
}

function isReturn(next: SourceRecord, before: SourceRecord): boolean {
  return before.candidate !== null && next.candidate === null && next.commit === before.commit
}

function inOldEpoch(next: SourceRecord, before: SourceRecord): SourceRecord {
  if (!isReturn(next, before)) return next
  return { ...next, token: before.token, intents: [] }
}

function withoutReturnIntent(next: SourceRecord, before: SourceRecord): SourceRecord {
  return isReturn(next, before) && epochInForce(next) > epochInForce(before) ? { ...next, intents: [] } : next
}

function withNodes(ports: RolloutPorts, change: (node: ReportedNode) => ReportedNode): RolloutPorts {
  return { ...ports, nodes: async (signal) => (await ports.nodes(signal)).map(change) }
}

/** A node that is well with what it shows is taken for well with the candidate. */
function asIfShown(node: ReportedNode, record: SourceRecord | undefined): ReportedNode {
  const candidate = record?.candidate
  if (!candidate || node.shown === null || compareTokens(node.shown.token, candidate.token) >= 0) return node
  return { ...node, failed: null, checks: "passing", shown: { token: candidate.token, root: candidate.root } }
}

function withPeers(ports: RolloutPorts, change: (record: SourceRecord) => SourceRecord): RolloutPorts {
  return {
    ...ports,
    async peers(signal) {
      const peers = [...(await ports.peers(signal))]
      return new Map(
        peers.map(([name, peer]) => [name, peer === null || peer === "unreachable" ? peer : change(peer)]),
      )
    },
  }
}

/** Healthy is what so small a share of the nodes is. */
function enoughWith(healthy: number) {
  return (ports: RolloutPorts): RolloutPorts => {
    const { health } = ports.policy
    const nodes = { ...health.nodes, healthy }
    return { ...ports, policy: { ...ports.policy, health: { ...health, nodes } } }
  }
}

function withoutIll(ports: RolloutPorts): RolloutPorts {
  const isWell = ({ fresh, problem, checks }: ReportedNode) =>
    fresh && problem === null && checks !== "failing"
  return { ...ports, nodes: async (signal) => (await ports.nodes(signal)).filter(isWell) }
}

function skippingAllBut(self: string, clusters: readonly string[]) {
  const skipped = clusters.filter((cluster) => cluster !== self)
  return (record: SourceRecord): SourceRecord => {
    const { candidate } = record
    if (candidate === null || candidate.skipped.length === 0) return record
    return { ...record, candidate: { ...candidate, skipped } }
  }
}

/** Lists show each record as `change` makes it. */
function withRead(kube: ConfigMapWriter, change: (record: SourceRecord) => SourceRecord): ConfigMapWriter {
  return {
    ...kube,
    async list(namespace, options, signal) {
      const found = await kube.list(namespace, options, signal)
      const items = found.items.map((item) => {
        if (!isRecord(item)) return item
        return { ...item, data: recordConfigMap(namespace, change(readRecord(item))).data ?? {} }
      })
      return { ...found, items }
    },
  }
}

/** Replaces an object even where another writer has changed it since it was read. */
function withoutFence(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      const { namespace, name } = configMap.metadata
      const now = await kube.get(namespace, name, signal)
      if (now === undefined) return kube.replace(configMap, signal)
      const { resourceVersion = "", uid = "" } = now.metadata
      return kube.replace({ ...configMap, metadata: { ...configMap.metadata, resourceVersion, uid } }, signal)
    },
  }
}

function withoutRejection(record: SourceRecord): SourceRecord {
  return { ...record, rejected: null }
}

function lastRecord(world: RolloutWorld, cluster: ModelCluster): SourceRecord | undefined {
  return world.last.get(cluster.name)
}

/** The first stage that begins writes the named ConfigMap, with the content of its candidate. */
function withEarlyView(kube: ConfigMapWriter, cluster: ModelCluster, world: RolloutWorld): ConfigMapWriter {
  return {
    ...kube,
    async replace(configMap, signal) {
      const replaced = await kube.replace(configMap, signal)
      const candidate = isRecord(configMap) ? readRecord(configMap).candidate : null
      if (candidate === null || candidate.bound === 0 || candidate.view) return replaced
      const view = await cluster.kube.get("ci", "alpha")
      const content = world.repository.filesAt(candidate.commit).get("a/x.txt") ?? ""
      if (view) await cluster.kube.replace({ ...view, data: { ...view.data, "x.txt": content } })
      return replaced
    },
  }
}
