import { type Answer, type Ask, answered, startAsking } from "./answer.ts"
import { collectCluster } from "./collect-cluster.ts"
import type { CollectPorts, StatusRepository } from "./collect-ports.ts"
import type { BranchFacts, ClusterSourceFacts, CommitFacts, FleetFacts } from "./fleet-facts.ts"

export interface CollectOptions {
  clusterSources: readonly { cluster: string; source: string }[]
  /** False: git is not asked for the tips of branches. */
  fetch: boolean
  /** Milliseconds that everything together may take. */
  limit: number
}

/** What a mirror on this machine may take for a few commits, once the clusters have used up the time. */
const LOCAL_MS = 500

/**
 * Asks git, Redis and every cluster at the same time, for no longer than the limit. What does not answer is unknown, and
 * hides nothing else. Throws only the signal's reason.
 */
export async function collectFleet(
  ports: CollectPorts,
  { clusterSources, fetch, limit }: CollectOptions,
  signal: AbortSignal,
): Promise<FleetFacts> {
  const at = ports.clock.now()
  const ask = startAsking(limit, signal)
  const byCluster = Map.groupBy(clusterSources, ({ cluster }) => cluster)
  const sources = fetch ? [...new Set(clusterSources.map(({ source }) => source))] : []
  const clusters = Promise.all(
    [...byCluster].map(([cluster, mine]) =>
      collectCluster(
        ports,
        cluster,
        mine.map(({ source }) => source),
        ask,
      ),
    ),
  )
  const [lanes, tips, found] = await Promise.all([
    ports.lanes === undefined ? undefined : ask("Redis", ports.lanes),
    Promise.all(sources.map(async (source) => [source, await askTip(ports, source, ask)] as const)),
    clusters,
  ])
  const facts = inOrder(clusterSources, found.flat())
  const askMirror = startAsking(LOCAL_MS, signal)
  const branches = await Promise.all(
    tips.map(async ([source, tip]) => {
      if (!tip.known) return [source, tip] as const
      const { repository, commit, seq } = tip.value
      const ids = [commit, ...shownCommits(facts, source)]
      const commits = await askMirror(`the mirror of ${source}`, (limited) =>
        readCommits(repository, commit, ids, limited),
      )
      return [source, answered({ commit, seq, commits: commits.known ? commits.value : new Map() })] as const
    }),
  )
  return { at, lanes, branches: new Map<string, Answer<BranchFacts>>(branches), clusterSources: facts }
}

function inOrder(
  wanted: CollectOptions["clusterSources"],
  found: readonly ClusterSourceFacts[],
): ClusterSourceFacts[] {
  return wanted.flatMap(({ cluster, source }) =>
    found.filter((one) => one.cluster === cluster && one.source === source),
  )
}

function askTip({ repository }: CollectPorts, source: string, ask: Ask) {
  return ask(`git, for source ${source},`, async (signal) => {
    const opened = await repository(source)
    return { repository: opened, ...(await opened.fetch(signal)) }
  })
}

function shownCommits(facts: readonly ClusterSourceFacts[], source: string): string[] {
  const commits = facts.flatMap(({ source: of, record }) =>
    of === source && record.known && record.value?.commit ? [record.value.commit] : [],
  )
  return [...new Set(commits)]
}

async function readCommits(
  repository: StatusRepository,
  tip: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, CommitFacts>> {
  const known = await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const seq = await repository.seqOf(id, signal)
      const summary = seq === undefined ? undefined : await repository.summaryOf(id, signal)
      if (seq === undefined || summary === undefined) return []
      const isInBranch = await repository.contains(tip, id, signal)
      return [[id, { seq, isInBranch, ...summary }] as const]
    }),
  )
  return new Map(known.flat())
}
