import type { Token } from "@headrace/shared/record/record"
import type { Baseline } from "./note.ts"
import { type Origin, unnamedOrigin } from "./origin.ts"

/** One file of a revision. */
export interface RevisionFile {
  /** In the projection, elements parted by `/`. */
  path: string
  /** 0o444, or 0o555 for an executable one; any other is taken as it is, without write bits. */
  mode: number
  size: number
  /** Of the content, 64 hex digits. */
  sha256: string
  /** Asked only when no equal file can be linked. */
  read(): Promise<Buffer>
}

/** What a projection shows at one time, whole. */
export interface Revision {
  /** Last part of the link's target: the full commit id, or a digest. */
  id: string
  /** Its first origin's. */
  token: Token
  /** Its sources, the one that its token is of first; absent: one that has no name. */
  origins?: readonly [Origin, ...Origin[]]
  files: readonly RevisionFile[]
  /** Publish even when only the id differs, for readers that take the commit from the link's name. */
  evenIfEqual?: boolean
  /** Asked when all of it is, durably, in `folder` and before it is shown; to throw is a veto. */
  approve?(folder: string): Promise<void>
  /** Of a candidate of a rollout: the baseline that is shown until then, and kept. */
  trial?: Omit<Baseline, "number">
  /** Of the baseline itself, when a candidate that failed gives way to it: shown though the floor is above it. */
  returns?: Omit<Baseline, "number">
}

/** Its sources; of a revision that names none, one without a name. */
export function originsOf({
  id,
  token,
  origins,
}: Pick<Revision, "id" | "token" | "origins">): readonly Origin[] {
  return origins ?? [unnamedOrigin(id, token)]
}
