import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { Record, Token } from "@headrace/shared/record/record"
import type { ProjectedFile } from "./projected-files.ts"

/** A commit of a git source, with its files not yet read. */
export interface GitSnapshot {
  commit: string
  token: Token
  files: readonly ProjectedFile[]
}

/** Everything that the agent has been told, at one time. What is absent has not been read yet. */
export interface Inputs {
  record?: Record
  /** The ConfigMaps that a `live` source selects, by that source's id. */
  live: ReadonlyMap<string, readonly ConfigMap[]>
  /** By the git source's id. */
  git: ReadonlyMap<string, GitSnapshot>
}

export const NO_INPUTS: Inputs = { live: new Map(), git: new Map() }
