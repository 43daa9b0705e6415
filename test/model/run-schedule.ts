import { checkQuiet } from "./check-quiet.ts"
import { checkAgent } from "./model-agents.ts"
import { SOURCES } from "./model-sources.ts"
import { play } from "./play.ts"
import { endBadPlaces } from "./play-world.ts"
import { checkRepaired, repairAll } from "./repair-all.ts"
import type { Schedule } from "./schedule.ts"
import { endSettingsChanges } from "./settings-changes.ts"
import { end, settle } from "./settle.ts"
import { createSimulation, type Simulation, type SimulationOptions } from "./simulation.ts"
import { wakeTheLate } from "./wake-the-late.ts"
import { invariantWatcher } from "./watch-invariants.ts"

/**
 * Plays a schedule and throws the first Violation: of any write, of the state once quiet, of what paused
 * workers do to it when they are woken last, and of the state after an operator has repaired what is stopped.
 */
export async function runSchedule(schedule: Schedule, options: SimulationOptions = {}): Promise<void> {
  const watch = invariantWatcher(() => simulation)
  const simulation: Simulation = createSimulation(options, async (...write) => {
    await watch(...write).catch((error: unknown) => violations.push(error))
  })
  const { violations } = simulation
  for (const op of schedule) {
    await play(simulation, op)
    throwFirst(violations)
  }
  await endFaults(simulation)
  if (hasBadPlaces(simulation)) {
    await settle(simulation, schedule)
    throwFirst(violations)
    await checkAll(simulation)
    await endBadPlaces(simulation)
  }
  await settle(simulation, schedule)
  throwFirst(violations)
  await wakeTheLate(simulation, schedule)
  throwFirst(violations)
  await checkAll(simulation)
  await checkAgents(simulation)
  await repairAll(simulation, schedule)
  throwFirst(violations)
  await checkAll(simulation)
  await checkRepaired(simulation)
  throwFirst(violations)
  simulation.tally.endSchedule()
}

/**
 * Clocks are right again, git answers, and every program has read the settings. Commands and collections that are under
 * way come to their end; reconciles stay paused where they are.
 */
async function endFaults(simulation: Simulation): Promise<void> {
  simulation.hasGitFaults = false
  for (const program of simulation.programs) program.ahead = 0
  endSettingsChanges(simulation)
  await endOperators(simulation)
}

function hasBadPlaces({ clusters }: Simulation): boolean {
  return clusters.some(({ bad: { terminating, forbidden, full, admission } }) =>
    [terminating, forbidden, full, admission].some((places) => places.size > 0),
  )
}

async function checkAgents(simulation: Simulation): Promise<void> {
  for (const agent of simulation.agents) await checkAgent(simulation, agent)
}

function throwFirst(violations: readonly unknown[]): void {
  if (violations.length > 0) throw violations[0]
}

async function endOperators(simulation: Simulation): Promise<void> {
  for (const worker of simulation.workers) if (worker.kind !== "reconcile") await end(worker)
}

async function checkAll(simulation: Simulation): Promise<void> {
  for (const cluster of simulation.clusters)
    for (const source of SOURCES) await checkQuiet(simulation, cluster, source)
}
