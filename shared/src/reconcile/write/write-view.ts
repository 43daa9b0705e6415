import pLimit from "p-limit"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { errorText } from "../../foundation/errors.ts"
import type { FailedTarget, ForeignWrite, SourceRecord } from "../../record/record.ts"
import { isStrangers, mayBeNewer } from "../decide/believe-stamp.ts"
import { type Choice, placeText } from "../run/cluster-plan.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { DesiredRevision } from "../run/revision.ts"
import { ownedKeys, type PlanOf } from "../target/owned-keys.ts"
import type { Stamp } from "../target/ownership.ts"
import { isAltered } from "./foreign-write.ts"
import { writeTarget } from "./write-target.ts"

/** Enough to hide round trips; few enough that one source does not use up an API server's patience. */
const CONCURRENT_TARGETS = 6

/** What became of the named ConfigMaps; places are `namespace/name`. */
export interface ViewResult {
  written: number
  /** They carry a larger token. */
  ahead: string[]
  /** To the reason. */
  failed: Map<string, string>
  /** Writes of others that were found, and repaired. */
  foreign: ForeignWrite[]
}

/** Writes the chosen targets, a few at a time. One that cannot be written never keeps the others back. */
export async function writeView(
  ports: ReconcilePorts,
  input: {
    source: string
    desired: DesiredRevision
    choice: Choice
    planOf: PlanOf
    views: ReconcileMemory["views"]
    /** The record as it is when it is called; undefined: there is none. */
    freshRecord(): Promise<SourceRecord | undefined>
    /** What the record shows before this run. */
    inForce: Stamp | undefined
    /** The failed targets that the record lists. */
    failed: readonly FailedTarget[]
  },
  signal: AbortSignal,
): Promise<ViewResult> {
  const { source, desired, choice, planOf, views, freshRecord, inForce, failed } = input
  const result: ViewResult = { written: 0, ahead: [], failed: new Map(), foreign: [] }
  const limit = pLimit(CONCURRENT_TARGETS)
  const targets = choice.visit.filter((planned) => planned.view)
  let done = 0
  await Promise.all(
    targets.map((planned) =>
      limit(async () => {
        await visit(planned)
        done += 1
        ports.onProgress?.("view", done, targets.length)
      }),
    ),
  )
  signal.throwIfAborted()
  return result

  async function visit(planned: Choice["visit"][number]): Promise<void> {
    if (signal.aborted) return
    const place = placeText(planned.target)
    const { foreignKeys } = ports.settings
    const owned = ownedKeys(foreignKeys, place, planOf)
    const altered = (existing: ConfigMap) => isAltered(existing, foreignKeys, planOf)
    try {
      const { outcome, foreign } = await writeTarget(
        ports,
        {
          source,
          desired,
          planned,
          stamp: choice.stamp.has(place),
          owned,
          altered,
          views,
          inForce,
          isStrangers: (stamp) => isStrangers(ports, stamp, desired, freshRecord, signal),
          mayBeNewer: () => mayBeNewer(place, failed, freshRecord),
        },
        signal,
      )
      if (outcome === "written") result.written += 1
      if (outcome === "ahead") result.ahead.push(place)
      if (foreign === undefined) return
      ports.log.warn({ target: place, writer: foreign.writer }, "another program wrote this target; repaired")
      result.foreign.push(foreign)
    } catch (error) {
      if (signal.aborted) return
      ports.log.warn({ target: place, err: error }, "target not written")
      // The code comes first, so that it stays when the record cuts the text.
      result.failed.set(place, errorText(error))
    }
  }
}
