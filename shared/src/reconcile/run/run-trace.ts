import { type SpanRecord, spanIdOf, swapSpanId } from "../../observe/traces.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { RunTrace, SwapListener } from "./ports.ts"

type Swapped = Parameters<SwapListener>[0]

/** The trace of a run by the swaps that it did; undefined when none of them was news of a commit. Pure. */
export function traceOf(
  swaps: readonly Swapped[],
  { intervals, start, end }: Pick<RunTrace, "intervals" | "start" | "end">,
): RunTrace | undefined {
  const last = swaps.findLast(({ before, after }) => newsOf(before, after) !== undefined)
  const news = last && newsOf(last.before, last.after)
  const uid = last?.configMap.metadata.uid
  return news && uid !== undefined ? { ...news, uid, start, end, intervals } : undefined
}

function newsOf(
  before: SourceRecord | undefined,
  { commit, stopped }: SourceRecord,
): Pick<RunTrace, "commit" | "error"> | undefined {
  if (commit !== null && commit !== before?.commit) return { commit }
  if (stopped === null || stopped.commit === before?.stopped?.commit) return undefined
  return { commit: stopped.commit, error: `${stopped.message} [${stopped.code}]` }
}

/**
 * The spans of a run: the reconcile, caused by `cause`, and its stages. The last stretch at the record is the swap, whose
 * id agents work out as well. Pure.
 */
export function runSpans(
  { cluster, source }: { cluster: string; source: string },
  { commit, uid, start, end, intervals, error }: RunTrace,
  cause: string,
): SpanRecord[] {
  const attributes = { "headrace.cluster": cluster, "headrace.source": source }
  const id = spanIdOf(commit, "reconcile", uid)
  const swap = error === undefined ? intervals.findLastIndex(({ stage }) => stage === "record") : -1
  const stages = intervals.map((interval, index) => ({
    name: `headrace.${index === swap ? "swap" : interval.stage}`,
    commit,
    id: index === swap ? swapSpanId(commit, uid) : spanIdOf(commit, "stage", uid, index),
    parent: id,
    start: interval.start,
    end: interval.end,
    attributes,
  }))
  return [{ name: "headrace.reconcile", commit, id, parent: cause, start, end, attributes, error }, ...stages]
}
