import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { deliveryKey } from "@headrace/shared/lanes/recent-deliveries"
import { type DeliveryOutcome, outcomeField, readOutcome } from "../deliveries/answer-deliveries.ts"
import { SaidDeployment } from "./set-deployments.ts"
import { SaidStatus } from "./set-status.ts"

/** What Redis knows about a merged pull request, beside GitHub. */
export interface MergeNotes {
  repo: string
  pull: number
  sha: string
  sources: string[]
  /** Milliseconds since the epoch. */
  arrived: number
  /** Of a source, by cluster. */
  outcomes(source: string, clusters: readonly string[]): Map<string, DeliveryOutcome>
  /** Id of our comment, once it is there. */
  comment: number | undefined
  /** The commit status that was set last. */
  status: SaidStatus | undefined
  /** What was said of the deployment to each cluster. */
  deployments: ReadonlyMap<string, SaidDeployment>
}

/** The fields of what was said of deployments, by cluster. */
const DEPLOYMENT = "deployment/"
/** As long as deliveries are kept. */
const KEPT_SECONDS = 4 * 24 * 3600

/** Names a merge to all plugins. */
export function mergeId(repo: string, pull: number): string {
  return `${repo}#${pull}`
}

/**
 * Finds the merges that these deliveries reported, and remembers which delivery it was; a merge that two
 * deliveries reported (our own webhook and Prow's) stays with the first. All at once, since a lane waits for it, and a
 * burst of merges is answered together.
 */
export async function mergesOfDeliveries(lanes: Lanes, guids: readonly string[]): Promise<string[]> {
  const named = await Promise.all(
    guids.map(async (guid) => ({
      guid,
      name: await lanes.redis.hmget(deliveryKey(lanes, guid), "repo", "pull"),
    })),
  )
  const merges = named.flatMap(({ guid, name: [repo, pull] }) =>
    repo && pull ? [{ guid, id: mergeId(repo, Number(pull)) }] : [],
  )
  await Promise.all(
    merges.map(({ guid, id }) =>
      lanes.redis
        .multi()
        .hsetnx(notesKey(lanes, id), "guid", guid)
        .expire(notesKey(lanes, id), KEPT_SECONDS)
        .zadd(openKey(lanes), "NX", String(Date.now()), id)
        .expire(openKey(lanes), KEPT_SECONDS)
        .exec(),
    ),
  )
  return [...new Set(merges.map(({ id }) => id))]
}

/** Undefined when the delivery has expired. */
export async function readMergeNotes(lanes: Lanes, id: string): Promise<MergeNotes | undefined> {
  const notes = await lanes.redis.hgetall(notesKey(lanes, id))
  const delivery = await lanes.redis.hgetall(deliveryKey(lanes, notes.guid ?? ""))
  const { repo, pull, sha, sources, arrived } = delivery
  if (!repo || !pull || !sha) return undefined
  return {
    repo,
    pull: Number(pull),
    sha,
    sources: (sources ?? "").split(" ").filter(Boolean),
    arrived: Number(arrived),
    outcomes: (source, clusters) =>
      new Map(
        clusters.flatMap((cluster) => {
          const text = delivery[outcomeField(cluster, source)]
          return text === undefined ? [] : [[cluster, readOutcome(text)] as const]
        }),
      ),
    comment: notes.comment === undefined ? undefined : Number(notes.comment),
    status: readStatus(notes.status),
    deployments: readDeployments(notes),
  }
}

/** Remembers what was said on GitHub. */
export async function saveMergeNotes(
  lanes: Lanes,
  id: string,
  notes: { comment?: number; status?: SaidStatus },
): Promise<void> {
  const { comment, status } = notes
  const fields = {
    ...(comment === undefined ? {} : { comment: String(comment) }),
    ...(status === undefined ? {} : { status: JSON.stringify(status) }),
  }
  if (Object.keys(fields).length > 0) await lanes.redis.hset(notesKey(lanes, id), fields)
}

/** Remembers what was said of the deployment to a cluster. */
export async function saveDeployment(
  lanes: Lanes,
  id: string,
  cluster: string,
  said: SaidDeployment,
): Promise<void> {
  await lanes.redis.hset(notesKey(lanes, id), DEPLOYMENT + cluster, JSON.stringify(said))
}

/** The merges that are not live yet, oldest first. */
export async function openMerges(lanes: Lanes): Promise<string[]> {
  const before = Date.now() - KEPT_SECONDS * 1000
  await lanes.redis.zremrangebyscore(openKey(lanes), 0, String(before))
  return lanes.redis.zrange(openKey(lanes), 0, "-1")
}

/** Keeps what is known of a merge for as long again: a rollout of it is under way, which can take longer. */
export async function keepMerge(lanes: Lanes, id: string): Promise<void> {
  const guid = await lanes.redis.hget(notesKey(lanes, id), "guid")
  await lanes.redis
    .multi()
    .expire(notesKey(lanes, id), KEPT_SECONDS)
    .expire(deliveryKey(lanes, guid ?? ""), KEPT_SECONDS)
    .zadd(openKey(lanes), "XX", String(Date.now()), id)
    .expire(openKey(lanes), KEPT_SECONDS)
    .exec()
}

/** From now on nothing more is to be said of a merge. */
export async function closeMerge(lanes: Lanes, id: string): Promise<void> {
  await lanes.redis.zrem(openKey(lanes), id)
}

/** A version before this one kept the text alone. */
function readStatus(text: string | undefined): SaidStatus | undefined {
  if (text === undefined) return undefined
  if (!text.startsWith("{")) return { said: text, at: 0, count: 1 }
  return SaidStatus.parse(JSON.parse(text))
}

function readDeployments(notes: Readonly<Record<string, string>>): Map<string, SaidDeployment> {
  const found = Object.entries(notes).filter(([field]) => field.startsWith(DEPLOYMENT))
  return new Map(
    found.map(([field, text]) => [field.slice(DEPLOYMENT.length), SaidDeployment.parse(JSON.parse(text))]),
  )
}

/** A sorted set of merges that are not live yet, by when they became known. */
function openKey(lanes: Lanes): string {
  return lanes.key("merges", "open")
}

function notesKey(lanes: Lanes, id: string): string {
  return lanes.key("merge", id)
}
