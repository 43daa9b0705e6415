import type { Clock } from "@headrace/shared/foundation/clock"
import { type SpanRecord, spanIdOf, swapSpanId, type Traces } from "@headrace/shared/observe/traces"
import type { Inputs } from "../assemble/inputs.ts"
import type { Notice } from "../notify/notice.ts"
import type { PublishResult } from "../publish/publish-revision.ts"

/** What one projection did to show a revision of the record. Times are milliseconds since the epoch. */
export interface Shown {
  projection: string
  /** When it began to read what the record names, and when it had it. */
  began: number
  fetched: number
  result: PublishResult
}

/** The last part of each commit's trace: what this node does with it. */
export interface NodeTraces {
  /** A revision of the record was published. */
  shown(inputs: Inputs, shown: Shown): void
  /** The consumer with this place in `notify` was notified of it. */
  notified(notice: Notice, index: number, way: string): void
}

/** What a notice belongs to. */
interface ShownSpan {
  commit: string
  id: string
  /** When it was published. */
  at: number
}

export function createNodeTraces(traces: Traces, node: string, clock: Clock): NodeTraces {
  /** By projection, of the revision that each shows. */
  const last = new Map<string, ShownSpan>()

  return {
    shown({ record, recordUid, recordReadAt }, { projection, began, fetched, result }) {
      last.delete(projection)
      const commit = record?.commit
      const uid = recordUid
      // Of another source, or of a record that is a version ahead by now.
      if (!commit || uid === undefined || result.revision !== commit) return
      const end = clock.now()
      const id = spanIdOf(commit, "show", uid, node, projection)
      const attributes = { "headrace.node": node, "headrace.projection": projection }
      const flipped = end - (result.milliseconds - result.stagingMilliseconds)
      const span = (name: string, start: number, until: number): SpanRecord => ({
        name: `headrace.${name}`,
        commit,
        id: spanIdOf(commit, name, uid, node, projection),
        parent: id,
        start,
        end: until,
        attributes,
      })
      const start = recordReadAt ?? began
      traces.record({ ...span("show", start, end), parent: swapSpanId(commit, uid) })
      traces.record(span("fetch", began, fetched))
      traces.record(span("stage", end - result.milliseconds, flipped))
      traces.record(span("flip", flipped, end))
      last.set(projection, { commit, id, at: end })
    },
    notified({ projection, revision }, index, way) {
      const shown = last.get(projection)
      if (shown === undefined || shown.commit !== revision) return
      const { commit, id, at } = shown
      traces.record({
        name: "headrace.notice",
        commit,
        id: spanIdOf(commit, "notice", id, index),
        parent: id,
        start: at,
        end: clock.now(),
        attributes: { "headrace.node": node, "headrace.projection": projection, "headrace.way": way },
      })
    },
  }
}
