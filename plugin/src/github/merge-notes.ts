import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { type DeliveryOutcome, outcomeField, readOutcome } from "../deliveries/answer-deliveries.ts"
import { deliveryKey } from "../deliveries/keep-deliveries.ts"

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
  status: string | undefined
}

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
    status: notes.status,
  }
}

/** Remembers what was said on GitHub. */
export async function saveMergeNotes(
  lanes: Lanes,
  id: string,
  notes: { comment?: number; status?: string },
): Promise<void> {
  await lanes.redis.hset(notesKey(lanes, id), notes)
}

function notesKey(lanes: Lanes, id: string): string {
  return lanes.key("merge", id)
}
