import type { Clock } from "@headrace/shared/foundation/clock"
import { FULL_ID } from "@headrace/shared/foundation/object-id"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import { largestToken } from "@headrace/shared/record/intents"
import type { SourceRecord, Token } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { namedCommit } from "../../cli/named-commit.ts"
import { countLiveNodes, type NodeCount } from "./count-live-nodes.ts"
import { reachedToken } from "./reached-token.ts"
import { type RecordAddress, readNodes } from "./read-nodes.ts"
import { nodeLines, short } from "./status-text.ts"

/** What may be asked for: a commit by its first digits or all of them, or whatever merged a pull request. */
export type WantedChange = { commit: string } | { pullRequest: number }

/** Whether a commit is live in one cluster. */
export interface CommitStatus {
  /** What was asked for. */
  pullRequest?: number
  /** The commit that was asked for or merged the pull request; null: none did as far as the branch shows. */
  commit: string | null
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
  repository: Pick<SourceRepository, "fetch" | "seqOf" | "contains" | "mergeOf" | "abbreviated">
  clock: Clock
}

const LOOK_MS = 1000

/** Asks until the commit is live or the clock shows `deadline`, and once at least; gives the last answer. */
export async function untilLive(
  ports: CommitStatusPorts,
  record: RecordAddress,
  wanted: WantedChange,
  deadline: number,
  signal: AbortSignal,
): Promise<CommitStatus> {
  for (;;) {
    const status = await commitStatus(ports, record, wanted, signal)
    const left = deadline - ports.clock.now()
    if (status.live || left <= 0) return status
    await ports.clock.sleep(Math.min(LOOK_MS, left), signal)
  }
}

/**
 * Whether a record, and the nodes, have got to a commit. The Leases are read before the record, so
 * that no node can be ahead of it: what the record says of a token then holds for the nodes that show it.
 */
async function commitStatus(
  { kube, repository, clock }: CommitStatusPorts,
  { namespace, programsNamespace, source }: RecordAddress,
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<CommitStatus> {
  const commit = await wantedCommit(repository, wanted, signal)
  const leases = await readNodes(kube, [namespace, programsNamespace], signal)
  const configMap = await kube.get(namespace, source, signal)
  const record = configMap && readRecord(configMap)
  const reached = record && commit ? await reachedIn(record, commit, repository, signal) : undefined
  const largest = record && largestToken(record)
  const nodes = leases && countLiveNodes(leases, `${namespace}/${source}`, { reached, largest }, clock.now())
  const recorded = reached !== undefined
  const live = recorded && nodes !== null && nodes.behind.length === 0
  const asked = "pullRequest" in wanted ? { pullRequest: wanted.pullRequest } : {}
  return { ...asked, commit, shows: record?.commit ?? null, recorded, nodes, live }
}

/** Null for a pull request that no commit of the branch has merged. */
async function wantedCommit(
  repository: CommitStatusPorts["repository"],
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<string | null> {
  if ("commit" in wanted) return knownCommit(repository, wanted.commit, signal)
  const tip = await repository.fetch(signal)
  return (await repository.mergeOf(tip.commit, wanted.pullRequest, signal)) ?? null
}

/** Named by its first digits, the commit may be one that the mirror has yet to fetch. */
async function knownCommit(
  repository: CommitStatusPorts["repository"],
  text: string,
  signal: AbortSignal,
): Promise<string> {
  if (!FULL_ID.test(text) && (await repository.abbreviated(text, signal)).length === 0) {
    await repository.fetch(signal)
  }
  return namedCommit(repository, text, signal)
}

async function reachedIn(
  record: SourceRecord,
  commit: string,
  repository: CommitStatusPorts["repository"],
  signal: AbortSignal,
): Promise<Token | undefined> {
  const commits = [commit, record.commit ?? commit]
  const known = await Promise.all(commits.map((one) => repository.seqOf(one, signal)))
  if (known.includes(undefined)) await repository.fetch(signal)
  return reachedToken(record, commit, repository, signal)
}

/** `live: …` or `not live: …` in a line, and the nodes below. */
export function commitText(status: CommitStatus): string {
  const { nodes, live } = status
  const lines = nodes === null ? ["nodes not known: may not list Leases"] : nodeLines(nodes)
  return [`${live ? "live" : "not live"}: ${recordText(status)}`, ...lines].join("\n  ")
}

function recordText({ pullRequest, commit, shows, recorded }: CommitStatus): string {
  const name = pullRequest === undefined ? "" : `#${pullRequest}, `
  if (commit === null) return `no commit of the branch says that it merged #${pullRequest}`
  return `${name}${short(commit)} is ${recorded ? "" : "not "}in ${short(shows)}`
}
