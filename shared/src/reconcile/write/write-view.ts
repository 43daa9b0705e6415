import pLimit from "p-limit"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { errorText, HeadraceError } from "../../foundation/errors.ts"
import type { ForeignWrite, SourceRecord } from "../../record/record.ts"
import { isOfLostRecord, isStrangers, mayBeNewer } from "../decide/believe-stamp.ts"
import { planOfStamps } from "../decide/plan-at.ts"
import type { Work } from "../decide/work-out.ts"
import { loadState } from "../record/swap-record.ts"
import { type Choice, placeText } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { ownedKeys } from "../target/owned-keys.ts"
import type { Stamp } from "../target/ownership.ts"
import { isAltered } from "./foreign-write.ts"
import { writeTarget } from "./write-target.ts"

/** Enough to hide round trips; few enough that one source does not use up an API server's patience. */
const CONCURRENT_TARGETS = 6

/** What became of the named ConfigMaps; places are `namespace/name`. */
export interface ViewResult {
  written: number
  /** They carry a larger token, or the record is another's by now. */
  ahead: string[]
  /** To the reason. */
  failed: Map<string, string>
  /** Writes of others that were found, and repaired. */
  foreign: ForeignWrite[]
}

/**
 * Writes the chosen targets, a few at a time. One that cannot be written never keeps the others back. `record`: as it is
 * before this run, or with its intent open.
 */
export async function writeView(
  run: Run,
  record: SourceRecord,
  { desired, choice, failures }: Pick<Work, "desired" | "choice" | "failures">,
): Promise<ViewResult> {
  const { ports, memory, request, signal } = run
  const { source } = request
  const planOf = planOfStamps(run, desired)
  const inForce = stampInForce(record)
  const freshRecord = async () => (await loadState(run))?.record
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
          views: memory.views,
          inForce,
          isStrangers: (stamp) => isStrangers(ports, stamp, desired, freshRecord, signal),
          isOfLostRecord: async () => isOfLostRecord(desired, run.recordUid, await recordNow(run)),
          mayBeNewer: () => mayBeNewer(place, failures.failed, freshRecord),
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
      result.failed.set(place, reasonOf(error))
    }
  }
}

/** The code comes first, so that it stays when the record cuts the text; without one the target would not be tried again. */
function reasonOf(error: unknown): string {
  return error instanceof HeadraceError ? errorText(error) : `program/unexpected: ${errorText(error)}`
}

async function recordNow(run: Run): Promise<{ record: SourceRecord; uid: string | undefined } | undefined> {
  const state = await loadState(run)
  return state && { record: state.record, uid: state.configMap.metadata.uid }
}

/** What the record shows, as the stamp that a target would have if this had written it. */
function stampInForce({ source, token, commit, rulesCommit }: SourceRecord): Stamp | undefined {
  return commit === null ? undefined : { source, token, commit, rulesCommit }
}
