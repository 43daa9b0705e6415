import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import type { TargetEntry } from "../../record/build-index.ts"
import { isCut, shortReason } from "../../record/fit-record.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { FailuresIndex } from "../../record/store-index.ts"
import type { Work } from "../decide/work-out.ts"
import type { Run } from "../run/run.ts"
import { marksOfRoot, mostEpoch } from "../store/last-roots.ts"
import { ensureStored } from "./store-objects.ts"

/** Characters of a reason: ten thousand failed targets must fit one object. */
const REASON_LIMIT = 160
const NO_TOKEN = { epoch: 0, seq: 0 }

/**
 * Writes the list of failed targets as an object of the store, and gives its digest: before the record names it. Null
 * where none is needed: the record has room for all, and none of them holds anything that only the root index says. It
 * is what keeps their content when the record's room, the record or the root index is lost. Throws `kube/…`.
 */
export async function writeFailures(
  run: Run,
  before: SourceRecord,
  next: SourceRecord,
  { failures, desired }: Pick<Work, "failures" | "desired">,
  kept: ReadonlyMap<string, TargetEntry>,
): Promise<string | null> {
  const { ports, signal, request } = run
  if (next.failed.length === 0) return null
  if (!next.failed.some(({ target }) => kept.has(target)) && !isCut(next)) return null
  const index: FailuresIndex = {
    format: 1,
    kind: "failures",
    failed: next.failed.map(({ target, reason, since }) => ({
      target,
      reason: shortReason(reason, REASON_LIMIT),
      since,
      held: heldBy(kept.get(target)),
    })),
  }
  const payload = Buffer.from(canonicalJson(index))
  const digest = sha256(payload)
  const isNamed = digest === before.failures && failures.complete
  if (isNamed && request.mode === "incremental") return digest
  const most = mostEpoch(run, before)
  const marks = marksOfRoot(request.source, desired.token, most)
  // What the record names goes on with the marks that it came with, as a root does: a rebuild writes nothing.
  const { areOn } = isNamed ? marksOfRoot(request.source, NO_TOKEN, most) : marks
  await ensureStored(ports, { kind: "index", digest, payload }, signal, { ...marks, areOn })
  return digest
}

function heldBy(entry: TargetEntry | undefined) {
  return entry ? { index: entry.index, files: entry.files, bytes: entry.bytes } : null
}
