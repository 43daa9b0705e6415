import pLimit from "p-limit"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { errorText, HeadraceError } from "../../foundation/errors.ts"
import type { ForeignWrite } from "../../record/record.ts"
import type { Aim } from "../decide/aim.ts"
import type { Choice } from "../decide/choose-targets.ts"
import { type ClusterPlan, placeText } from "../decide/plan-at.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
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
  /** Writes of others that were found, and mended. */
  foreign: ForeignWrite[]
}

/** What each target held when it was last stamped, for `foreignKeys: keep`. */
export type PlanOf = (stamp: Stamp) => Promise<ClusterPlan | undefined>

/** Writes the chosen targets, a few at a time. One that cannot be written never keeps the others back. */
export async function writeView(
  ports: ReconcilePorts,
  input: { source: string; aim: Aim; choice: Choice; planOf: PlanOf; views: ReconcileMemory["views"] },
  signal: AbortSignal,
): Promise<ViewResult> {
  const { source, aim, choice, planOf, views } = input
  const result: ViewResult = { written: 0, ahead: [], failed: new Map(), foreign: [] }
  const limit = pLimit(CONCURRENT_TARGETS)
  await Promise.all(
    choice.visit.filter((planned) => planned.view).map((planned) => limit(() => visit(planned))),
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
        { source, aim, planned, stamp: choice.stamp.has(place), owned, altered, views },
        signal,
      )
      if (outcome === "written") result.written += 1
      if (outcome === "ahead") result.ahead.push(place)
      if (foreign === undefined) return
      ports.log.warn({ target: place, writer: foreign.writer }, "another program wrote this target; mended")
      result.foreign.push(foreign)
    } catch (error) {
      if (signal.aborted) return
      ports.log.warn({ target: place, err: error }, "target not written")
      result.failed.set(place, reasonOf(error))
    }
  }
}

/**
 * `remove`: every key. `keep`: those that the rules gave the target at the commit it was last stamped with,
 * which is when we last knew what of it was ours.
 */
export function ownedKeys(foreignKeys: "remove" | "keep", place: string, planOf: PlanOf) {
  return async (stamp: Stamp | undefined): Promise<(key: string) => boolean> => {
    if (foreignKeys === "remove") return () => true
    const planned = stamp && (await planOf(stamp))?.targets.get(place)
    const keys = new Set(planned?.keys.map((key) => key.key))
    return (key) => keys.has(key)
  }
}

/** The code first, so that it stays when the record cuts the text. */
function reasonOf(error: unknown): string {
  return error instanceof HeadraceError ? `${error.code}: ${errorText(error)}` : errorText(error)
}
