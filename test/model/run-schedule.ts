import { releaseSource, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { checkQuiet } from "./check-quiet.ts"
import { checkRebuild } from "./check-rebuild.ts"
import { finish, startWorker, type Worker } from "./gates.ts"
import { checkAgent } from "./model-agents.ts"
import type { ModelRepository } from "./model-repository.ts"
import { goalOf, isFastForward } from "./model-revision.ts"
import { RULE_TEXTS, RULES_PATH } from "./model-rules.ts"
import { FIRST_SETTINGS } from "./model-settings.ts"
import { OWN_NAMESPACE, SOURCES, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { play } from "./play.ts"
import { startOperator } from "./play-operator.ts"
import { endBadPlaces } from "./play-world.ts"
import type { Program } from "./programs.ts"
import type { Op, Schedule } from "./schedule.ts"
import { endSettingsChanges, giveSettings } from "./settings-changes.ts"
import { createSimulation, NEVER, type Simulation, type SimulationOptions } from "./simulation.ts"
import { startReconcile, watchRecord } from "./start-workers.ts"
import { Violation } from "./violation.ts"
import { invariantWatcher } from "./watch-invariants.ts"

/** Rebuilds until nothing changes any more: one to write, one to end what the first could not, one to see. */
const ROUNDS = 3
const SECOND_MS = 1000

/**
 * Plays a schedule and throws the first Violation: of any write, of the state once quiet, of what paused
 * workers do to it when they are woken last, and of the state after an operator has repaired what is stopped.
 */
export async function runSchedule(schedule: Schedule, options: SimulationOptions = {}): Promise<void> {
  const violations: unknown[] = []
  const watch = invariantWatcher(() => simulation)
  const simulation: Simulation = createSimulation(options, async (...write) => {
    await watch(...write).catch((error: unknown) => violations.push(error))
  })
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
  await mend(simulation, schedule)
  throwFirst(violations)
  await checkAll(simulation)
  await checkMended(simulation)
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

/** What only a full run sees: hands, a `detach` that stopped half-way, and what strangers and others did. */
const SEEN_IN_FULL: readonly Op["op"][] = ["hand", "detach", "forge", "terminate", "prune"]

/** Everything but that must come right by looking at what changed, within so many wake-ups. */
async function settle(simulation: Simulation, schedule: Schedule): Promise<void> {
  simulation.now += SECOND_MS
  const mode = schedule.some(({ op }) => SEEN_IN_FULL.includes(op)) ? "full" : "incremental"
  for (let round = 0; round < ROUNDS; round++) {
    const before = countWrites(simulation)
    await reconcileAll(simulation, mode, isWorld(schedule) ? simulation.programs[round] : undefined)
    if (countWrites(simulation) === before) return
  }
}

/** True where programs keep their memory: then one after the other of them is woken. */
function isWorld(schedule: Schedule): boolean {
  return schedule.some((op) => "program" in op)
}

function countWrites({ clusters }: Simulation): number {
  return clusters.reduce((sum, { writes }) => sum + writes.length, 0)
}

/** Every record is reconciled, by this program, which also watches it, or by one that has just started. */
async function reconcileAll(
  simulation: Simulation,
  mode: "incremental" | "full",
  program?: Program,
): Promise<void> {
  for (const cluster of simulation.clusters) {
    for (const source of SOURCES) {
      if (program) await endWell(startWatch(simulation, cluster, source, program))
      await endWell(startReconcile(simulation, cluster, source, mode, program))
    }
  }
}

function startWatch(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  program: Program,
): Worker {
  return startWorker("reconcile", cluster.name, (worker) =>
    watchRecord(simulation, cluster, source, program, worker),
  )
}

async function endWell(worker: Worker): Promise<void> {
  await end(worker)
  if (worker.error) throw new Violation(`1: a run fails though the world is well: ${String(worker.error)}`)
}

/**
 * A paused worker wakes up after all is quiet, and nobody reconciles afterwards, so that what a late writer spoils
 * stays spoilt. No record may move, but for one case: a writer whose fetch was answered before a force-push and
 * whose record has shown nobody looking since. It fast-forwards to what was the tip then, as it would have had it
 * been a little faster; the next look finds the branch rewritten.
 */
async function wakeTheLate(simulation: Simulation, schedule: Schedule): Promise<void> {
  const before = await records(simulation)
  for (const worker of simulation.workers.toReversed()) {
    if (!worker.done && !worker.dead) simulation.tally.count(`woken after all was quiet: ${worker.kind}`)
    await end(worker)
  }
  let moves = 0
  for (const [place, { source, record }] of await records(simulation)) {
    const was = before.get(place)?.record
    if (was?.commit === record.commit && was.rulesCommit === record.rulesCommit) continue
    judgeLateMove(simulation, source, was, record)
    simulation.tally.count("woken after all was quiet: goes on to an abandoned tip")
    moves += 1
  }
  if (moves > 0) await settle(simulation, schedule)
}

function judgeLateMove(
  simulation: Simulation,
  source: Source,
  before: SourceRecord | undefined,
  after: SourceRecord,
): void {
  const [from, to] = [before && revisionOf(before), revisionOf(after)]
  // Where a lost record shows nothing yet, because the targets hold what the guard would not delete, a late writer
  // of its former life may change what they hold, and the next reconcile then goes to the goal.
  const isFreed =
    before?.stopped?.code.startsWith("guard/") && to?.commit === goalOf(simulation, source, after).commit
  if (from === undefined && isFreed) return
  if (from === undefined || to === undefined) throw new Violation("1: a late writer made a record")
  const isAbandoned =
    wasAbandoned(simulation.repositories[source], to.commit) ||
    (to.rulesCommit !== null && wasAbandoned(simulation.rules[source], to.rulesCommit))
  if (isAbandoned && before?.stopped === null && isFastForward(simulation, source, from, to)) return
  throw new Violation(`2: a late writer moved the record from ${from.commit} to ${to.commit}`)
}

function revisionOf({ commit, rulesCommit }: SourceRecord): SourceRevision | undefined {
  return commit === null ? undefined : { commit, rulesCommit }
}

/** True when the branch has been at this commit, and no longer contains it. */
function wasAbandoned(repository: ModelRepository, commit: string): boolean {
  return repository.wasTip(commit) && !repository.hasAncestor(repository.tip(), commit)
}

async function records(
  simulation: Simulation,
): Promise<Map<string, { source: Source; record: SourceRecord }>> {
  const found = new Map<string, { source: Source; record: SourceRecord }>()
  for (const cluster of simulation.clusters) {
    for (const source of SOURCES) {
      const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
      if (configMap) found.set(`${cluster.name} ${source}`, { source, record: readRecord(configMap) })
    }
  }
  return found
}

async function checkAll(simulation: Simulation): Promise<void> {
  for (const cluster of simulation.clusters)
    for (const source of SOURCES) await checkQuiet(simulation, cluster, source)
}

/** Good rules on the branch, then a rewind of both sources to their tips, which also approves, and a release. */
async function mend(simulation: Simulation, schedule: Schedule): Promise<void> {
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

async function checkMended(simulation: Simulation): Promise<void> {
  for (const [, { source, record }] of await records(simulation)) {
    if (record.stopped)
      throw new Violation(`1: still stopped after it was repaired: ${record.stopped.message}`)
    if (record.commit !== simulation.repositories[source].tip())
      throw new Violation("1: not at the tip after it was repaired")
  }
  await checkRebuild(simulation, (): Promise<void> => reconcileAll(simulation, "full"))
}

async function end(worker: Worker): Promise<void> {
  if (!(await finish(worker))) throw new Violation("a worker does not end")
}
