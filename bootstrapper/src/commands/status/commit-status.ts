import type { Clock } from "@headrace/shared/foundation/clock"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { countNodes, type NodeCount } from "./count-nodes.ts"
import { reachedToken } from "./reached-token.ts"
import { readNodes } from "./read-nodes.ts"
import { nodeLines, short } from "./status-text.ts"

/** Whether a commit is live in one cluster. */
export interface CommitStatus {
  /** What was asked for. */
  commit: string
  /** What the record shows. */
  shows: string | null
  /** True when that is, or contains, the commit. */
  recorded: boolean
  /** How many nodes show it; null: they may not be asked. */
  nodes: NodeCount | null
  /** True when it is recorded, and every node that reports shows it. */
  live: boolean
}

export interface CommitStatusPorts {
  kube: ConfigMapReader & LeaseReader
  repository: Pick<SourceRepository, "fetch" | "seqOf" | "contains">
  clock: Clock
}

const LOOK_MS = 1000

/** Asks until the commit is live or the clock shows `deadline`, and once at least; gives the last answer. */
export async function untilLive(
  ports: CommitStatusPorts,
  place: { namespace: string; source: string },
  commit: string,
  deadline: number,
  signal: AbortSignal,
): Promise<CommitStatus> {
  for (;;) {
    const status = await commitStatus(ports, place, commit, signal)
    const left = deadline - ports.clock.now()
    if (status.live || left <= 0) return status
    await ports.clock.sleep(Math.min(LOOK_MS, left), signal)
  }
}

/**
 * Whether a place's record, and the nodes, have got to a commit. The Leases are read before the record, so
 * that no node can be ahead of it: what the record says of a token then holds for the nodes that show it.
 */
async function commitStatus(
  { kube, repository, clock }: CommitStatusPorts,
  { namespace, source }: { namespace: string; source: string },
  commit: string,
  signal: AbortSignal,
): Promise<CommitStatus> {
  const leases = await readNodes(kube, namespace, signal)
  const configMap = await kube.get(namespace, source, signal)
  const record = configMap && readRecord(configMap)
  const known = await Promise.all(
    [commit, record?.commit ?? commit].map((one) => repository.seqOf(one, signal)),
  )
  if (known.includes(undefined)) await repository.fetch(signal)
  const reached = record && (await reachedToken(record, commit, repository, signal))
  const nodes = leases && countNodes(leases, `${namespace}/${source}`, reached, clock.now())
  const recorded = reached !== undefined
  const live = recorded && nodes !== null && nodes.behind.length === 0
  return { commit, shows: record?.commit ?? null, recorded, nodes, live }
}

/** `live: …` or `not live: …` in a line, and the nodes below. */
export function commitText({ commit, shows, recorded, nodes, live }: CommitStatus): string {
  const record = recorded
    ? `${short(commit)} is in ${short(shows)}`
    : `${short(commit)} is not in ${short(shows)}`
  const lines = nodes === null ? ["nodes not known: may not list Leases"] : nodeLines(nodes)
  return [`${live ? "live" : "not live"}: ${record}`, ...lines].join("\n  ")
}
