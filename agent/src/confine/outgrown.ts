import type { Clock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { untilAborted } from "@headrace/shared/foundation/until-aborted"
import type { Log } from "@headrace/shared/observe/log"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { Confinement } from "./confinement.ts"
import { isStartedAgain } from "./started-again.ts"

/** How long a replaced folder is not noticed. */
const LOOK_MS = 2000
const NEVER = new Promise<never>(() => undefined)

/**
 * Why an agent of these settings cannot run in this process; undefined: it can. What Landlock has taken comes back with a new
 * process only (docs/decisions/140): `agent/restart-needed` where one will be started, otherwise `agent/outside-confinement`.
 */
export async function whyOutgrown(
  confinement: Confinement,
  settings: AgentSettings,
): Promise<HeadraceError | undefined> {
  const lacking = await confinement.lacking(settings)
  if (lacking.length === 0) return undefined
  if (isStartedAgain()) return restartNeeded(lacking)
  return new HeadraceError(
    "agent/outside-confinement",
    `the settings write to ${lacking.join(", ")}, and this process confined itself when it started`,
    { hint: "Restart the agent.", fields: { paths: lacking } },
  )
}

/**
 * Watches whether a running agent can still write where it has to. Once it cannot (a folder was removed, replaced or mounted
 * over) it throws `agent/restart-needed` where the process is started again, and otherwise says so in the log. Rejects
 * with the signal's reason.
 */
export async function watchOutgrown(
  confinement: Confinement,
  settings: AgentSettings,
  { clock, log }: { clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<never> {
  if (!confinement.isConfined) return untilAborted(NEVER, signal)
  let reported = ""
  for (; ; await clock.sleep(LOOK_MS, signal)) {
    const lacking = await confinement.lacking(settings)
    if (lacking.length === 0) continue
    if (isStartedAgain()) throw restartNeeded(lacking)
    const paths = lacking.join(", ")
    if (paths === reported) continue
    reported = paths
    log.error(
      { paths: lacking },
      "folders were replaced since this process confined itself: restart the agent",
    )
  }
}

function restartNeeded(lacking: readonly string[]): HeadraceError {
  return new HeadraceError(
    "agent/restart-needed",
    `the agent ends to be able to write to ${lacking.join(", ")}`,
    {
      hint: "Wait: it is started again, and confines itself to what its settings name then.",
      fields: { paths: lacking },
    },
  )
}
