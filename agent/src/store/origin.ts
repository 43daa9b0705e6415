import { sha256 } from "@headrace/shared/foundation/digest"
import { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import { z } from "zod"

/** Of a revision that names no source, as every one of manifest format 1. */
export const UNNAMED_SOURCE = ""

const ZERO: Token = { epoch: 0, seq: 0 }

/** Which object of a source's name is meant: one that is made again, or restored in another cluster, is another one. */
export const Instance = z.strictObject({
  /** Unique for ever, such as an object's uid in Kubernetes. */
  id: z.string(),
  /** ISO time when it was made, by the clock of its server. */
  created: z.string(),
})
export type Instance = z.infer<typeof Instance>

/** One source of a revision, at the place in its history that the revision shows. */
export const Origin = z.strictObject({
  /** What is followed, without credentials: equal text, same history (`git 3f9a… main`, `record headrace/jobs`). */
  source: z.string(),
  instance: Instance.nullable(),
  /** The commit, or a digest of the content where a source has no commits. */
  revision: z.string(),
  token: Token,
})
export type Origin = z.infer<typeof Origin>

/** Whose history something is of. */
export type SourceName = Pick<Origin, "source" | "instance">

/** The largest token of a source that a projection has ever shown, or was about to show. */
export const Floor = Origin.omit({ revision: true })
export type Floor = z.infer<typeof Floor>

/** What is remembered of how far each source has come. */
export interface Floors {
  /** Of the newest revision's origins, in their order. */
  latest: readonly Floor[]
  /** Of sources that were shown before, newest first. */
  others: readonly Floor[]
}

/** Floors of sources that are not followed any more: a path that changes its source for ever must not grow. */
const REMEMBERED = 32

/** The origin of a revision whose maker names none. */
export function unnamedOrigin(revision: string, token: Token): Origin {
  return { source: UNNAMED_SOURCE, instance: null, revision, token }
}

/** What a source has come to. */
export interface FloorFound {
  /** Below it an origin is refused. */
  token: Token
  /** True for an object that another one has replaced: a view from the past, unless it was put back (isPutBack). */
  isStale: boolean
}

/** Whose floor is asked for, and at which token it is, where that is known. */
export type NamedToken = SourceName & { token?: Token }

/** An epoch of a record is a time in milliseconds; git and counted sources begin at 0. */
const RECORD_EPOCH = 1e12

/**
 * The floor under an origin. A floor that names no source (format 1 had no names) is inherited by the first source
 * that counts in the same way.
 */
export function floorOf({ latest, others }: Floors, origin: NamedToken): FloorFound {
  const { source, instance, token } = origin
  const floors = [...latest, ...others]
  const same = floors.find((floor) => instance !== null && floor.instance?.id === instance.id)
  if (same) return { token: same.token, isStale: isReplaced(same, floors, token) }
  const known = floors.find((floor) => floor.source === source)
  if (known === undefined) return { token: inherited(latest, source), isStale: false }
  if (instance === null || known.instance === null) return { token: known.token, isStale: false }
  const later = madeLater(instance, known.instance)
  // Made within one second, which is as exactly as Kubernetes says it: the token decides.
  if (later === 0) return { token: known.token, isStale: false }
  return { token: ZERO, isStale: later < 0 && !isPutBack(token, known) }
}

function isReplaced(floor: Floor, floors: readonly Floor[], token: Token | undefined): boolean {
  const newest = floors.find(({ source }) => source === floor.source)
  if (!newest?.instance || !floor.instance) return false
  return madeLater(floor.instance, newest.instance) < 0 && !isPutBack(token, newest)
}

/**
 * True when a backup has put an object back that `newest` had replaced, and a writer has taken it beyond: into an epoch that
 * began after the newest object was made. What the object said before that is of an earlier one (docs/decisions/028).
 */
function isPutBack(token: Token | undefined, newest: Floor): boolean {
  if (token === undefined || newest.instance === null) return false
  return compareTokens(token, newest.token) > 0 && token.epoch > Date.parse(newest.instance.created)
}

function madeLater(a: Instance, b: Instance): number {
  return Date.parse(a.created) - Date.parse(b.created)
}

function inherited(latest: readonly Floor[], source: string): Token {
  // As soon as a named source was shown, nothing is inherited any more.
  const [newest] = latest
  if (newest?.source !== UNNAMED_SOURCE) return ZERO
  const isRecords = newest.token.epoch >= RECORD_EPOCH
  return !isRecords || source.startsWith("record ") ? newest.token : ZERO
}

/** The floors after a revision of these origins. */
export function raiseFloors(floors: Floors, origins: readonly Omit<Origin, "revision">[]): Floors {
  const latest = origins.map(({ source, instance, token }): Floor => {
    const floor = floorOf(floors, { source, instance })
    return { source, instance, token: compareTokens(token, floor.token) < 0 ? floor.token : token }
  })
  const before = [...floors.latest, ...floors.others]
  const others = before.filter((floor) => !latest.some((one) => isSame(one, floor)))
  return { latest, others: others.slice(0, REMEMBERED) }
}

function isSame(a: Floor, b: Floor): boolean {
  return a.source === b.source && a.instance?.id === b.instance?.id
}

/** True when a revision of `origins` may take the place of the newest one: the same sources, and nothing older. */
export function isAtFloor({ latest }: Floors, origins: readonly Origin[]): boolean {
  if (latest.length !== origins.length) return false
  return origins.every((origin, at) => {
    const floor = latest[at]
    if (floor === undefined || compareTokens(origin.token, floor.token) < 0) return false
    // A revision of format 1 is of the one source that its path had then.
    return isSame(floor, origin) || origin.source === UNNAMED_SOURCE
  })
}

/** A revision id has at most so many characters. */
const ID_LENGTH = 200
const SHORT = 12

/**
 * The id of a revision of several origins, which names all of them: each commit or digest in the order of the settings,
 * parted by dashes, shortened to 12 digits; where even those do not fit, a digest of them. Of one origin it is that
 * origin's own, so that a link's last part is the commit.
 */
export function revisionId(origins: readonly Origin[]): string {
  const [only] = origins
  if (only && origins.length === 1) return only.revision
  const id = origins.map(({ revision }) => revision.slice(0, SHORT)).join("-")
  return id.length <= ID_LENGTH ? id : sha256(origins.map(({ revision }) => revision).join("-"))
}

/** As few digits as name a revision. */
const LEAST_DIGITS = 7

/**
 * True when an operator's approval is of one of these revisions: by its id, the beginning of it, or the id of a revision
 * of several origins that names it.
 */
export function isApproved(approved: string | null | undefined, ...revisions: readonly string[]): boolean {
  if (!approved) return false
  const told = approved.split("-")
  return revisions.some(
    (revision) =>
      approved === revision ||
      (approved.length >= LEAST_DIGITS && revision.startsWith(approved)) ||
      (told.length > 1 && told.includes(revision.slice(0, SHORT))),
  )
}
