import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Token } from "@headrace/shared/record/record"
import type { SourceName } from "../store/origin.ts"
import type { Inputs } from "./inputs.ts"
import type { KnownObject } from "./known-objects.ts"
import type { ProjectedFile } from "./projected-files.ts"

/** The commit that files are of. */
export interface SourceCommit {
  id: string
  token: Token
  /** When it was made, in milliseconds since the epoch. */
  committedAt?: number | undefined
  /** True when its epochs are raised here, on this node, and not by the source: git knows none. */
  ownEpochs?: boolean
  /** True when it is to be shown though its token is smaller than the one shown: the epoch is then raised. */
  mayGoBack?: boolean
}

/** The SHA-256 of the file that is shown at a path of the projection; undefined where none is. */
export type ShownDigest = (path: string) => string | undefined

/** What one source gives to a projection. */
export interface SourceFiles {
  origin: SourceName
  /** Represents the files: equal keys, equal files. */
  key: string
  files: readonly ProjectedFile[]
  /** The commit that they are of, where there is one. */
  commit?: SourceCommit
  /** Without commits: the name that the publisher of the files gives them. */
  revision?: string | undefined
  /** What it leaves out, and why: a sentence each. */
  warnings?: readonly string[]
  /** The store objects that say so, to be known again after a restart. */
  used?: ReadonlyMap<string, KnownObject>
}

/** The history of every target of the record. */
export const RECORD_HISTORY = "record"

/** One entry of a projection's `from`. */
export interface ProjectionSource {
  /** For messages: `ConfigMap ci/x`. */
  name: string
  /** Names the history that it follows: sources of one history are one origin and are shown at one commit. */
  history: string
  /** True when no operator's guard has judged what it gives. */
  isGuarded: boolean
  /**
   * Its files as of these inputs; contents are read later, file by file. Throws `projection/…` when it waits
   * for something, or whatever reading threw.
   */
  assemble(inputs: Inputs, shown?: ShownDigest): Promise<SourceFiles>
}

/** A source that has nothing to give yet. */
export function waitsFor(what: string, why: string, hint: string): HeadraceError {
  return new HeadraceError("projection/waits", `waits for ${what}: ${why}`, {
    hint,
    fields: { source: what },
  })
}

/** A source that was not read since the agent started: nothing is known to be wrong with it. */
export function notReadYet(what: string, why = "not read yet"): HeadraceError {
  const hint = "See /readyz for the reason."
  return new HeadraceError("projection/waits", `waits for ${what}: ${why}`, {
    hint,
    fields: { source: what, unread: true },
  })
}

/** True for an error of {@link notReadYet}. */
export function isUnread(error: unknown): boolean {
  return error instanceof HeadraceError && error.fields.unread === true
}
