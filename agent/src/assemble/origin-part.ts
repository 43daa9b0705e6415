import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Origin, SourceName } from "../store/origin.ts"
import type { KnownObject } from "./known-objects.ts"
import type { ProjectedFile } from "./projected-files.ts"
import { type ProjectionSource, type SourceCommit, type SourceFiles, waitsFor } from "./source.ts"

/** As long as a commit id, since readers take a link's name for one. */
const CONTENT_ID_LENGTH = 40

/** What one origin gives to a projection: the files of all sources that follow one history, at one place in it. */
export interface OriginPart extends SourceName {
  /** Names the history as far as the settings show it: the same before anything of it was read. */
  history: string
  /** Represents its files. */
  key: string
  /** The commit, or a digest of the content where there are no commits. */
  revision: string
  commit?: SourceCommit | undefined
  files: readonly ProjectedFile[]
  used: ReadonlyMap<string, KnownObject>
  /** The origin as it was shown, for a part that is kept. */
  shown?: Origin
}

/**
 * Makes one part of what the sources of one history give. Throws `projection/waits` while they are at two commits: they
 * are shown at one.
 */
export function originPart(history: string, given: readonly SourceFiles[]): OriginPart {
  const [first] = given
  if (first === undefined) throw new HeadraceError("agent/unexpected", `no source follows ${history}`)
  const { origin, commit, revision } = first
  if (given.some((each) => each.commit?.id !== commit?.id || each.origin.source !== origin.source)) {
    throw waitsFor(origin.source, "its selections are at two commits", "Wait for the next fetch.")
  }
  const key = given.map((each) => each.key).join(",")
  const isNamed = revision !== undefined && given.every((each) => each.revision === revision)
  return {
    ...origin,
    history,
    key,
    revision: commit?.id ?? (isNamed ? revision : sha256(key).slice(0, CONTENT_ID_LENGTH)),
    commit,
    files: given.flatMap(({ files }) => files),
    used: new Map(given.flatMap(({ used }) => [...(used ?? [])])),
  }
}

/** The sources of each history, in the order of the settings. */
export function byHistory(sources: readonly ProjectionSource[]): Map<string, ProjectionSource[]> {
  return Map.groupBy(sources, ({ history }) => history)
}
