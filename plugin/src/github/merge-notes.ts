import { FULL_ID } from "@headrace/shared/foundation/object-id"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { readFields } from "@headrace/shared/lanes/read-fields"
import { deliveryKey, isRetyped } from "@headrace/shared/lanes/recent-deliveries"
import {
  type DeliveryOutcome,
  outcomeField,
  readOutcome,
  sealField,
} from "../deliveries/answer-deliveries.ts"
import { dropUntimely, KEPT_SECONDS } from "../deliveries/keep-deliveries.ts"
import type { OutcomeSeals } from "../deliveries/outcome-seals.ts"
import { parseNote } from "../deliveries/parse-note.ts"
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
  /** The delivery that reported it. */
  guid: string
  /** What is noted of a source in a cluster, and its seal (`sealedOutcomes`). */
  outcome(source: string, cluster: string): string | undefined
  seal(source: string, cluster: string): string | undefined
  /** Id of our comment, once it is there. */
  comment: number | undefined
  /** The commit status that was set last. */
  status: SaidStatus | undefined
  /** What was said of the deployment to each cluster. */
  deployments: ReadonlyMap<string, SaidDeployment>
}

/** The fields of what was said of deployments, by cluster. */
const DEPLOYMENT = "deployment/"
/** ORG/NAME and a number, no longer than GitHub has them. */
const MERGE_ID = /^[\w.-]{1,100}\/[\w.-]{1,100}#[1-9]\d{0,9}$/
/** Merges that are followed to the nodes at one time. */
const MOST_OPEN = 1000

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
  const keys = guids.map((guid) => deliveryKey(lanes, guid))
  const names = await readFields(lanes.redis, keys, ["repo", "pull"])
  const merges = guids.flatMap((guid, at) => {
    const [repo, pull] = names[at] ?? []
    const id = repo && pull ? mergeId(repo, Number(pull)) : ""
    return MERGE_ID.test(id) ? [{ guid, id }] : []
  })
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

/** Of a delivery: what it says of itself, and an outcome with its seal for each cluster and source. */
const DELIVERY_FIELDS = ["repo", "pull", "sha", "sources", "arrived"] as const

/**
 * What Redis has of a merge. Undefined when the delivery has expired, or is none as a plugin notes it: `id` and all fields
 * are claims, which GitHub and the settings have to confirm. Only the fields of ours are read, whatever else is there.
 */
export async function readMergeNotes(lanes: Lanes, id: string): Promise<MergeNotes | undefined> {
  if (!MERGE_ID.test(id)) return undefined
  const notes = await orNothing(lanes.redis.hgetall(notesKey(lanes, id)), {})
  const guid = notes.guid ?? ""
  const delivery = await orNothing(lanes.redis.hgetall(deliveryKey(lanes, guid)), {})
  const [repo = "", pull = "", sha = "", sources = "", arrived = ""] = DELIVERY_FIELDS.map(
    (field) => delivery[field],
  )
  if (mergeId(repo, Number(pull)) !== id || !FULL_ID.test(sha)) return undefined
  const at = Number(arrived)
  return {
    guid,
    repo,
    pull: Number(pull),
    sha,
    sources: sources.split(" ").filter(Boolean),
    arrived: at > 0 && at <= Date.now() ? at : Date.now() - KEPT_SECONDS * 1000,
    outcome: (source, cluster) => delivery[outcomeField(cluster, source)],
    seal: (source, cluster) => delivery[sealField(cluster, source)],
    comment: commentOf(notes.comment),
    status: readStatus(notes.status),
    deployments: readDeployments(notes),
  }
}

/** What Redis answers; `nothing` where another program gave the key another type. */
async function orNothing<Answer>(reply: Promise<Answer>, nothing: Answer): Promise<Answer> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof Error && isRetyped(error)) return nothing
    throw error
  }
}

/** The outcomes of a merge that plugins of ours have sealed, by cluster. */
export async function sealedOutcomes(
  notes: Pick<MergeNotes, "guid" | "outcome" | "seal">,
  source: string,
  clusters: readonly string[],
  seals: OutcomeSeals,
): Promise<Map<string, DeliveryOutcome>> {
  const found = new Map<string, DeliveryOutcome>()
  for (const cluster of clusters) {
    const text = notes.outcome(source, cluster)
    if (text === undefined) continue
    const isOurs = await seals.isSealed([notes.guid, cluster, source], text, notes.seal(source, cluster))
    const outcome = isOurs ? readOutcome(text) : undefined
    if (outcome) found.set(cluster, outcome)
  }
  return found
}

function commentOf(text: string | undefined): number | undefined {
  const id = Number(text)
  return Number.isSafeInteger(id) && id > 0 ? id : undefined
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

/** The merges that are not live yet, newest first: of thousands those that came last. What is no merge's name is taken off. */
export async function openMerges(lanes: Lanes): Promise<string[]> {
  await dropUntimely(lanes, openKey(lanes))
  const found = await lanes.redis.zrevrange(openKey(lanes), 0, MOST_OPEN - 1)
  const others = found.filter((id) => !MERGE_ID.test(id))
  if (others.length > 0) await closeMerges(lanes, ...others)
  return found.filter((id) => MERGE_ID.test(id))
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

/** From now on nothing more is to be said of these merges. */
export async function closeMerges(lanes: Lanes, ...ids: readonly string[]): Promise<void> {
  await lanes.redis.zrem(openKey(lanes), ...ids)
}

/** A version before this one kept the text alone. */
function readStatus(text: string | undefined): SaidStatus | undefined {
  if (text === undefined) return undefined
  if (!text.startsWith("{")) return { said: text, at: 0, count: 1 }
  return parseNote(SaidStatus, text)
}

function readDeployments(notes: Readonly<Record<string, string>>): Map<string, SaidDeployment> {
  const found = Object.entries(notes).filter(([field]) => field.startsWith(DEPLOYMENT))
  return new Map(
    found.flatMap(([field, text]) => {
      const said = parseNote(SaidDeployment, text)
      return said ? [[field.slice(DEPLOYMENT.length), said] as const] : []
    }),
  )
}

/** A sorted set of merges that are not live yet, by when they became known. */
function openKey(lanes: Lanes): string {
  return lanes.key("merges", "open")
}

function notesKey(lanes: Lanes, id: string): string {
  return lanes.key("merge", id)
}
