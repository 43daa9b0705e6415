import { releaseSource, rewindSource } from "@headrace/shared/reconcile/hold-source"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { checkQuiet } from "./check-quiet.ts"
import { finish, startWorker, type Worker } from "./gates.ts"
import { RULE_TEXTS, RULES_PATH } from "./model-rules.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { play } from "./play.ts"
import type { Schedule } from "./schedule.ts"
import { invariantWatcher, Violation } from "./watch-invariants.ts"
import {
  createWorld,
  NEVER,
  OWN_NAMESPACE,
  portsOf,
  type Source,
  startReconcile,
  type World,
  type WorldOptions,
} from "./world.ts"

const SOURCES: readonly Source[] = ["release", "tools"]
/** Rebuilds until nothing changes any more: one to write, one to end what the first could not, one to see. */
const ROUNDS = 3

/**
 * Plays a schedule and throws the first Violation: of any write, of the state once quiet, of what paused
 * workers do to it when they are woken last, and of the state after an operator has mended what stands still.
 */
export async function runSchedule(schedule: Schedule, options: WorldOptions = {}): Promise<void> {
  const violations: unknown[] = []
  const watch = invariantWatcher(() => world)
  const world: World = createWorld(options, async (...write) => {
    await watch(...write).catch((error: unknown) => violations.push(error))
  })
  for (const op of schedule) {
    await play(world, op)
    throwFirst(violations)
  }
  await endOperators(world)
  await settle(world, schedule)
  throwFirst(violations)
  const before = await shownCommits(world)
  await wakeTheLate(world)
  throwFirst(violations)
  // A late writer whose fetch was answered before a force-push may still fast-forward to what was the tip
  // then; the next look finds the branch rewritten. Without a force-push nothing may move any more.
  const rewritten = schedule.some(({ op }) => op === "rewrite")
  if (rewritten && before !== (await shownCommits(world))) await settle(world, schedule)
  await checkAll(world)
  await mend(world, schedule)
  throwFirst(violations)
  await checkAll(world)
  await checkMended(world)
}

function throwFirst(violations: readonly unknown[]): void {
  if (violations.length > 0) throw violations[0]
}

/** Commands and collections that are under way come to their end; reconciles stay paused where they are. */
async function endOperators(world: World): Promise<void> {
  for (const worker of world.workers) if (worker.kind !== "reconcile") await end(worker)
}

/** What hands have done, only a full run sees; everything else must come right by looking at what changed. */
async function settle(world: World, schedule: Schedule): Promise<void> {
  world.now += 1
  const mode = schedule.some(({ op }) => op === "hand") ? "full" : "incremental"
  for (let round = 0; round < ROUNDS; round++) await reconcileAll(world, mode)
}

async function reconcileAll(world: World, mode: "incremental" | "full"): Promise<void> {
  for (const cluster of world.clusters) {
    for (const source of SOURCES) {
      const worker = startReconcile(world, cluster, source, mode)
      await end(worker)
      if (worker.error) throw worker.error
    }
  }
}

/** Nobody reconciles after this, so whatever a late writer spoils stays spoilt. */
async function wakeTheLate(world: World): Promise<void> {
  for (const worker of world.workers.toReversed()) await end(worker)
}

async function shownCommits(world: World): Promise<string> {
  const shown: unknown[] = []
  for (const cluster of world.clusters) {
    const configMap = await cluster.direct.get(OWN_NAMESPACE, "release")
    shown.push(configMap && readRecord(configMap).commit)
  }
  return shown.join()
}

async function checkAll(world: World): Promise<void> {
  for (const cluster of world.clusters) for (const source of SOURCES) await checkQuiet(world, cluster, source)
}

/** Good rules on the branch, then a rewind to its tip, which also approves, and a release. */
async function mend(world: World, schedule: Schedule): Promise<void> {
  const { release } = world.repositories
  const files = new Map(release.filesAt(release.tip())).set(RULES_PATH, RULE_TEXTS[0] ?? "")
  release.push(release.add([release.tip()], files))
  for (const cluster of world.clusters) {
    const hold = { commit: release.tip(), by: "model", reason: "mend", until: null }
    await operate(world, cluster, (ports) => rewindSource(ports, hold, NEVER))
  }
  world.lost = false
  await settle(world, schedule)
  for (const cluster of world.clusters) await operate(world, cluster, (ports) => releaseSource(ports, NEVER))
  await settle(world, schedule)
}

async function operate(
  world: World,
  cluster: MonitoredCluster,
  command: (ports: Parameters<typeof rewindSource>[0]) => Promise<unknown>,
): Promise<void> {
  const worker = startWorker("operator", (self) =>
    command({ ...portsOf(world, cluster, "release", self), namespace: OWN_NAMESPACE, source: "release" }),
  )
  await end(worker)
  if (worker.error) throw worker.error
}

async function checkMended(world: World): Promise<void> {
  for (const cluster of world.clusters) {
    const configMap = await cluster.direct.get(OWN_NAMESPACE, "release")
    const record = configMap && readRecord(configMap)
    if (record?.stopped)
      throw new Violation(`1: still stopped after it was mended: ${record.stopped.message}`)
    if (record?.commit !== world.repositories.release.tip())
      throw new Violation("1: not at the tip after it was mended")
  }
  // The first takes off marks that a collection put on late, on what is named by now.
  await reconcileAll(world, "full")
  const writes = world.clusters.map((cluster) => cluster.writes)
  await reconcileAll(world, "full")
  if (world.clusters.some((cluster, index) => cluster.writes !== writes[index])) {
    throw new Violation("a rebuild of an unchanged tree wrote something")
  }
}

async function end(worker: Worker): Promise<void> {
  if (!(await finish(worker))) throw new Violation("a worker does not end")
}
