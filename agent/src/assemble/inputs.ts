import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { Problem } from "@headrace/shared/foundation/problem"
import type { NewObjects } from "@headrace/shared/record/new-objects"
import type { SourceRecord, Token } from "@headrace/shared/record/record"
import type { RecordSignature } from "@headrace/shared/trust/record-signature"
import type { SourceName } from "../store/origin.ts"
import type { ProjectedFile } from "./projected-files.ts"

/** A commit of a git source, with its files not yet read. */
export interface GitSnapshot {
  commit: string
  token: Token
  /** When the commit was made, in milliseconds since the epoch. */
  committedAt?: number | undefined
  files: readonly ProjectedFile[]
  /** Parts of the selected tree whose content is not known; they are not among the files. */
  unknown: readonly Problem[]
  /** True when such a commit is not to be shown. */
  refusesUnknown: boolean
  /** True when a commit with fewer ancestors than the one shown is to be shown all the same. */
  mayGoBack: boolean
}

/** A folder that another program publishes, as it was at one time. */
export interface FolderSnapshot {
  /** Represents the files: equal keys, equal files. */
  key: string
  /** The publisher's name for it: the commit, where its link leads to a folder that is named by one. */
  revision?: string | undefined
  files: readonly ProjectedFile[]
}

/** Everything that the agent has read, at one time. What is absent has not been read yet. */
export interface Inputs {
  record?: SourceRecord
  /** Which record it is. */
  recordOrigin?: SourceName
  /** What its signature says, where records must be signed. */
  recordSignature?: RecordSignature | undefined
  /** The uid of its object. */
  recordUid?: string | undefined
  /** When its commit was made, and when this record was read, in milliseconds since the epoch. */
  recordCommittedAt?: number | undefined
  recordReadAt?: number
  /** What its newest small revision has added to the store. */
  recordAdded?: NewObjects | undefined
  /** The ConfigMaps that a `live` source selects, by that source's id. */
  live: ReadonlyMap<string, readonly ConfigMap[]>
  /** By the git source's id. */
  git: ReadonlyMap<string, GitSnapshot>
  /** Why a git source could not be fetched yet, by its id. */
  gitTroubles: ReadonlyMap<string, string>
  /** By path; text: why it cannot be read. */
  folders: ReadonlyMap<string, FolderSnapshot | string>
}

export const NO_INPUTS: Inputs = {
  live: new Map(),
  git: new Map(),
  gitTroubles: new Map(),
  folders: new Map(),
}
