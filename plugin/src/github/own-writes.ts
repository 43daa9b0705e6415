import { boundedMap } from "@headrace/shared/foundation/bounded-map"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import type { MergeNotes } from "./merge-notes.ts"

/** What this process itself has said on GitHub last, by merge. */
export interface OwnWrites {
  /** True when Redis' note on a part of a merge is what this process wrote: only then it spares a look at GitHub. */
  isOwn(id: string, part: string, noted: unknown): boolean
  note(id: string, part: string, said: unknown): void
}

/** Merges that are remembered: to forget one costs a request. */
const KEPT = 1000

/** Keeps what this process has said; what another one said, or somebody put into Redis, is looked up on GitHub. */
export function keepOwnWrites(): OwnWrites {
  const merges = boundedMap<Map<string, string>>(KEPT)
  return {
    isOwn: (id, part, noted) => noted !== undefined && merges.get(id)?.get(part) === canonicalJson(noted),
    note(id, part, said) {
      const parts = merges.get(id) ?? new Map<string, string>()
      parts.set(part, canonicalJson(said))
      merges.set(id, parts)
    },
  }
}

/** Notes without what this process has not written. */
export function ownNotes(id: string, notes: MergeNotes, own: OwnWrites): MergeNotes {
  const { comment, status, deployments } = notes
  return {
    ...notes,
    comment: own.isOwn(id, "comment", comment) ? comment : undefined,
    status: own.isOwn(id, "status", status) ? status : undefined,
    deployments: new Map([...deployments].filter(([cluster, said]) => own.isOwn(id, `to ${cluster}`, said))),
  }
}
