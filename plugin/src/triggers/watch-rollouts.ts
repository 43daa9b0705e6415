import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { ReturnLook } from "@headrace/shared/reconcile/return-failed"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

const UNDER_WAY_MS = 1000
const QUIET_MS = 10_000

export interface WatchRolloutsPorts {
  settings: Pick<OperatorSettings, "sources" | "clusters">
  /** Returns what has failed in a cluster. */
  returnFailed(cluster: string, source: string, signal: AbortSignal): Promise<ReturnLook>
  clock: Clock
  log: Log
}

/**
 * Looks at the nodes of every rollout once a second until the signal aborts, and returns what has failed: also while Redis
 * or git is away, or a lane is busy.
 */
export async function watchRollouts(ports: WatchRolloutsPorts, signal: AbortSignal): Promise<void> {
  const { settings } = ports
  const staged = Object.entries(settings.sources).filter(([, { rollout }]) => rollout !== undefined)
  const pairs = staged.flatMap(([source]) =>
    Object.keys(settings.clusters).map((cluster) => ({ cluster, source })),
  )
  await Promise.all(pairs.map((pair) => watchRollout(pair, ports, signal)))
}

async function watchRollout(
  { cluster, source }: { cluster: string; source: string },
  { returnFailed, clock, log }: WatchRolloutsPorts,
  signal: AbortSignal,
): Promise<void> {
  let last: ReturnLook = "none"
  while (!signal.aborted) {
    // What cannot be looked at is as it was: a rollout goes on while an API server does not answer.
    const look = await returnFailed(cluster, source, signal).catch((error: unknown) => {
      if (!signal.aborted)
        log.debug({ cluster, source, err: errorText(error) }, "rollout could not be looked at")
      return last
    })
    if (look === "returned") log.warn({ cluster, source }, "a candidate failed and was returned")
    last = look === "returned" ? "under way" : look
    await clock.sleep(last === "none" ? QUIET_MS : UNDER_WAY_MS, signal).catch(() => undefined)
  }
}
