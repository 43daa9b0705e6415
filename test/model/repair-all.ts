import { releaseSource, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import { checkRebuild } from "./check-rebuild.ts"
import { RULE_TEXTS, RULES_PATH } from "./model-rules.ts"
import { FIRST_SETTINGS } from "./model-settings.ts"
import { SOURCES, type Source } from "./model-sources.ts"
import { startOperator } from "./play-operator.ts"
import type { Schedule } from "./schedule.ts"
import { endSettingsChanges, giveSettings } from "./settings-changes.ts"
import { endWell, reconcileAll, settle } from "./settle.ts"
import { records } from "./shown-records.ts"
import { NEVER, type Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/** Good rules on the branch, then a rewind of both sources to their tips, which also approves, and a release. */
export async function repairAll(simulation: Simulation, schedule: Schedule): Promise<void> {
  if (simulation.settings.current.version !== undefined) giveSettings(simulation, FIRST_SETTINGS)
  endSettingsChanges(simulation)
  const { release } = simulation.repositories
  const files = new Map(release.filesAt(release.tip())).set(RULES_PATH, RULE_TEXTS[0] ?? "")
  release.push(release.add([release.tip()], files))
  await commandAll(simulation, "rewind", (source) => (ports) => {
    const commit = simulation.repositories[source].tip()
    return rewindSource(ports, { commit, by: "model", reason: "mend", until: null }, NEVER)
  })
  await settle(simulation, schedule)
  await commandAll(simulation, "release", () => (ports) => releaseSource(ports, NEVER))
  await settle(simulation, schedule)
}

async function commandAll(
  simulation: Simulation,
  name: string,
  command: (source: Source) => Parameters<typeof startOperator>[4],
): Promise<void> {
  for (const cluster of simulation.clusters) {
    for (const source of SOURCES) {
      await endWell(startOperator(simulation, cluster, source, `${name}, to repair`, command(source)))
    }
  }
}

/** After the repair nothing is stopped, each record is at its tip, and a rebuild writes nothing. */
export async function checkRepaired(simulation: Simulation): Promise<void> {
  for (const [, { source, record }] of await records(simulation)) {
    if (record.stopped)
      throw new Violation(`1: still stopped after it was repaired: ${record.stopped.message}`)
    if (record.commit !== simulation.repositories[source].tip())
      throw new Violation("1: not at the tip after it was repaired")
  }
  await checkRebuild(simulation, (): Promise<void> => reconcileAll(simulation, "full"))
}
