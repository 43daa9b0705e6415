import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { AssembledProjection } from "../assemble/assemble-projection.ts"
import type { OpenProjection } from "../publish/open-projection.ts"

/** As long as a commit id, since readers take a link's name for one. */
const CONTENT_ID_LENGTH = 40

/** The revision to publish: a commit where there is one, else what the content says. */
export function revisionToShow(
  { key, commit }: AssembledProjection,
  isPublished: boolean,
  folder: OpenProjection,
): { id: string; token: Token } {
  if (commit === undefined) return contentRevision(key, isPublished, folder)
  const { id, token, mayGoBack = false } = commit
  return { id, token: mayGoBack ? raisedToken(token, folder.floor(), folder.current()?.id === id) : token }
}

/** A token that is not below the floor, for a source that may go back: to another commit in a new epoch. */
function raisedToken(token: Token, floor: Token, isShown: boolean): Token {
  const ofEpoch = { epoch: Math.max(token.epoch, floor.epoch), seq: token.seq }
  if (compareTokens(ofEpoch, floor) >= 0) return ofEpoch
  return isShown ? floor : { epoch: floor.epoch + 1, seq: token.seq }
}

/** Sources without commits: the content names the revision, and each change of it counts up. */
function contentRevision(
  key: string,
  isPublished: boolean,
  folder: OpenProjection,
): { id: string; token: Token } {
  const floor = folder.floor()
  const id = sha256(key).slice(0, CONTENT_ID_LENGTH)
  const isShown = isPublished || folder.current()?.id === id
  return { id, token: isShown ? floor : { epoch: floor.epoch, seq: floor.seq + 1 } }
}

/** A stale replica, or a restored backup, of the API server must not take a node back. Throws `projection/older`. */
export function refuseOlder(token: Token, floor: Token): void {
  if (compareTokens(token, floor) >= 0) return
  throw new HeadraceError(
    "projection/older",
    `the source is at ${tokenText(token)}, older than ${tokenText(floor)} that was published`,
    {
      hint: "Wait for the API server to catch up; to go back on purpose use headrace-bootstrapper rewind, or allowForcePush of a git source.",
    },
  )
}
