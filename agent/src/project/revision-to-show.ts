import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { AssembledProjection } from "../assemble/assemble-projection.ts"
import type { OriginPart } from "../assemble/origin-part.ts"
import type { OpenProjection } from "../publish/open-projection.ts"
import { type Origin, revisionId } from "../store/origin.ts"

/** What to publish, without its files. */
export interface RevisionToShow {
  id: string
  /** The first origin's. */
  token: Token
  origins: [Origin, ...Origin[]]
}

/**
 * The revision to publish, with where each source is in its own history. Throws `projection/older`: a stale replica, or
 * a restored backup, of a source must not take a node back. `isReturn`: it does on purpose, from a candidate that failed.
 */
export function revisionToShow(
  { parts }: Pick<AssembledProjection, "parts">,
  isPublished: boolean,
  folder: Pick<OpenProjection, "floor" | "current" | "isStale">,
  isReturn = false,
): RevisionToShow {
  // Those with commits first: the first one's token is the revision's.
  const ordered = [...parts.filter(({ commit }) => commit), ...parts.filter(({ commit }) => !commit)]
  const shown = ordered.map((part) => originToShow(part, isPublished, folder))
  const [first, ...others] = shown
  if (first === undefined) throw new HeadraceError("agent/unexpected", "a projection has no source")
  if (!isReturn) for (const origin of shown) refuseOlder(origin, folder)
  return { id: revisionId(shown), token: first.token, origins: [first, ...others] }
}

function originToShow(
  { source, instance, revision, commit, shown }: OriginPart,
  isPublished: boolean,
  folder: Pick<OpenProjection, "floor" | "current">,
): Origin {
  const floor = folder.floor({ source, instance })
  // What is kept was published, so that its floor is no smaller.
  if (shown !== undefined) return { source, instance, revision, token: floor }
  const isShown = isShownOf(folder, source, revision)
  if (commit) {
    const token = commit.ownEpochs ? ownToken(commit.token, floor, commit.mayGoBack, isShown) : commit.token
    return { source, instance, revision, token }
  }
  // The content names the revision, and each change of it counts up.
  const token = isPublished || isShown ? floor : { epoch: floor.epoch, seq: floor.seq + 1 }
  return { source, instance, revision, token }
}

function isShownOf(folder: Pick<OpenProjection, "current">, source: string, revision: string): boolean {
  const origins = folder.current()?.manifest.origins ?? []
  // One without a name is of a store of format 1.
  return origins.some((origin) => origin.revision === revision && [source, ""].includes(origin.source))
}

/**
 * A token in the epoch that this node counts, which only a source that may go back raises: by one, whenever it goes
 * to another commit with fewer ancestors.
 */
function ownToken(token: Token, floor: Token, mayGoBack: boolean | undefined, isShown: boolean): Token {
  const ofEpoch = { epoch: Math.max(token.epoch, floor.epoch), seq: token.seq }
  if (!mayGoBack || compareTokens(ofEpoch, floor) >= 0) return ofEpoch
  return isShown ? floor : { epoch: floor.epoch + 1, seq: token.seq }
}

function refuseOlder(origin: Origin, folder: Pick<OpenProjection, "floor" | "isStale">): void {
  const floor = folder.floor(origin)
  if (!folder.isStale(origin) && compareTokens(origin.token, floor) >= 0) return
  const older = folder.isStale(origin)
    ? `${origin.source} is an object that another one has replaced`
    : `${origin.source} is at ${tokenText(origin.token)}, older than ${tokenText(floor)} that was published`
  throw new HeadraceError("projection/older", older, {
    hint: "Wait for the API server to catch up; to go back on purpose use headrace-bootstrapper rewind, or allowForcePush of a git source.",
  })
}
