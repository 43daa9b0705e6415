import { storeObjectName } from "../../bundle/store-config-map.ts"
import { compareAndSwap } from "../../kube/compare-and-swap.ts"
import type { SourceRecord, Token } from "../../record/record.ts"
import type { Run } from "../run/run.ts"
import { marksOfRoot, mostEpoch } from "../store/last-roots.ts"
import { withMarks } from "./store-objects.ts"

/**
 * Marks the root of a candidate that comes into force, so that it is found where the record is lost: before the record names it
 * as its own. Until then it has no marks, for what no stage has passed must not take the baseline's place. A root that the
 * store has lost is left to the next full run. Throws `kube/…`.
 */
export async function markRoot(
  run: Run,
  record: SourceRecord,
  { root, token }: { root: string | null; token: Token },
): Promise<void> {
  const { ports, request, signal } = run
  if (root === null) return
  const marks = marksOfRoot(request.source, token, mostEpoch(run, record))
  await compareAndSwap(ports.clock, signal, async () => {
    const existing = await ports.kube.get(ports.settings.namespace, storeObjectName("index", root), signal)
    if (existing === undefined || marks.areOn(existing.metadata.annotations)) return true
    await ports.kube.replace(withMarks(existing, marks), signal)
    return true
  })
}
