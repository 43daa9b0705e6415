import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import type { RolloutPorts } from "@headrace/shared/reconcile/run/rollout-ports"
import { epochInForce } from "@headrace/shared/record/intents"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord, recordConfigMap } from "@headrace/shared/record/record-config-map"
import { compareTokens } from "@headrace/shared/record/token"
import type { ReportedNode } from "@headrace/shared/rollout/reported-node"
import type { Broken, ModelCluster, RolloutWorld } from "./rollout-world.ts"

/** The code with one rule of a rollout broken from outside, and what must be seen of it. */
export interface RolloutMutant {
  broken: Broken
  breaks: RegExp
  /** Where fast-check begins among the schedules of its seed; absent: with the first. */
  path?: string
}

/** The ten that the design names, and what they break. */
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
    path: "3",
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
  },
  "promoted before the bake's last report": {
    broken: {
      rollout: (ports, _, world) =>
        withNodes(ports, (node) => ({ ...node, version: `${node.version} ${world.now}` })),
    },
    breaks: /^Error: R4: .*without a report/,
    path: "3",
  },
  "a return without a new epoch": {
    broken: { kube: (kube) => withSwap(kube, inOldEpoch) },
    breaks: /^Error: R[345]: /,
    path: "2",
  },
  "a return without an intent while the view is half written": {
    broken: { kube: (kube) => withSwap(kube, withoutReturnIntent) },
    breaks: /^Error: R3: the view/,
    path: "2",
  },
  "a rejection read from one record alone": {
    broken: { rollout: (ports) => withPeers(ports, withoutRejection) },
    breaks: /^Error: R2: /,
  },
  "a lost record takes the tip": { broken: { blankTakesTip: true }, breaks: /^Error: R2: /, path: "50" },
  "the view is written at the first stage": {
    broken: { kube: withEarlyView },
    breaks: /^Error: R1: the view/,
  },
  "a node's own return is undone by its next look": {
    broken: { node: { keepsReturn: false } },
    breaks: /^Error: R1: node \S+ shows again/,
    path: "104",
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
