import { systemClock } from "@headrace/shared/foundation/clock"
import { UsageError } from "@headrace/shared/foundation/errors"
import {
  approveCommit,
  type HoldPorts,
  holdSource,
  releaseSource,
  rewindSource,
} from "@headrace/shared/reconcile/operate/hold-source"
import type { Record } from "@headrace/shared/record/record"
import { forEachPlace } from "../../cli/for-each-place.ts"
import { fullCommitId } from "../../cli/full-commit-id.ts"
import type { PlaceOptions } from "../../cli/place-options.ts"
import { printPlaces } from "../../cli/print-places.ts"
import type { ApproveOptions } from "../operate/approve-options.ts"
import type { HoldOptions } from "../operate/hold-options.ts"
import type { RewindOptions } from "../operate/rewind-options.ts"

/** Runs `hold`. */
export function runHold(options: HoldOptions, signal: AbortSignal): Promise<number> {
  const { commit } = options
  const hold = { ...holdOf(options), ...(commit === undefined ? {} : { commit: fullCommitId(commit) }) }
  return change(options, signal, (ports) => holdSource(ports, hold, signal))
}

/** Runs `rewind`. */
export function runRewind(options: RewindOptions, signal: AbortSignal): Promise<number> {
  const { to, rulesCommit } = options
  const rules = rulesCommit === undefined ? {} : { rulesCommit: fullCommitId(rulesCommit) }
  const hold = { ...holdOf(options), commit: fullCommitId(to), ...rules }
  return change(options, signal, (ports) => rewindSource(ports, hold, signal))
}

/** Runs `release`. */
export function runRelease(options: PlaceOptions, signal: AbortSignal): Promise<number> {
  return change(options, signal, (ports) => releaseSource(ports, signal))
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const commit = fullCommitId(options.commit)
  return change(options, signal, (ports) => approveCommit(ports, commit, signal))
}

async function change(
  options: PlaceOptions,
  signal: AbortSignal,
  how: (ports: HoldPorts) => Promise<Record>,
): Promise<number> {
  const results = await forEachPlace(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace }) => {
      const { kube, clock, repository, rulesRepository } = await reconciler.ports(cluster, source)
      await repository.fetch(signal)
      const record = await how({ kube, clock, repository, rulesRepository, namespace, source })
      const { commit, hold, approved } = record
      return { commit, hold, approved }
    },
  )
  return printPlaces(results, options.output, ({ commit, hold, approved }) => {
    const held = hold ? `held at ${hold.commit}` : "follows its branch"
    return `${held}, shows ${commit ?? "nothing"}${approved ? `, ${approved} approved` : ""}`
  })
}

function holdOf({ by, reason, until }: Pick<HoldOptions, "by" | "reason" | "until">) {
  if (until === undefined) return { by, reason, until: null }
  // Date.parse reads nearly anything: 5 is a day of 2001.
  const time = /^\d{4}-\d\d-\d\d/.test(until) ? Date.parse(until) : Number.NaN
  if (Number.isNaN(time)) throw new UsageError("hold/until", `--until ${until}: expected an ISO time`)
  if (time <= systemClock.now()) {
    throw new UsageError("hold/until", `--until ${until} has passed: nothing would be held`)
  }
  return { by, reason, until: new Date(time).toISOString() }
}
