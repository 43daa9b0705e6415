import { finish, step, type Worker } from "./gates.ts"
import { OWN_NAMESPACE, SOURCES } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { playGit } from "./play-git.ts"
import { loseRecord, playHand } from "./play-hands.ts"
import { startCommand } from "./play-operator.ts"
import { playWorld, programAt } from "./play-world.ts"
import type { Program } from "./programs.ts"
import type { Op } from "./schedule.ts"
import type { Simulation } from "./simulation.ts"
import { startGarbage, startPrune, startReconcile } from "./start-workers.ts"

/** Time passes between any two things. */
const TICK_MS = 10
/** Everything at once in flight. */
const MOST_WORKERS = 5
/** The unit in which Kubernetes keeps times of creation. */
const SECOND_MS = 1000
const NIGHT_MS = 2 * 3_600_000

/** Does one op of a schedule. */
export async function play(simulation: Simulation, op: Op): Promise<void> {
  simulation.now += TICK_MS
  switch (op.op) {
    case "commit":
    case "rename":
    case "revert":
    case "foxtrot":
    case "rewrite":
    case "tool":
    case "rewriteRules":
    case "skew":
      return playGit(simulation, op)
    case "deliver":
      return deliver(simulation, op)
    case "drop":
      return drop(simulation, op.which)
    case "flush":
      if (simulation.deliveries.length > 0) simulation.tally.count("delivery: Redis flushed")
      simulation.deliveries = []
      return
    case "start":
      return look(simulation, op)
    case "garbage":
      return start(simulation, () => startGarbage(simulation, cluster(simulation, op.cluster)))
    case "night":
      return night(simulation, cluster(simulation, op.cluster))
    case "hold":
    case "release":
    case "rewind":
    case "approve":
    case "adopt":
    case "detach":
      return start(simulation, () => startCommand(simulation, cluster(simulation, op.cluster), op))
    case "step":
      return steps(simulation, op)
    case "finish":
      return finishOne(simulation, op.worker)
    case "kill":
      return kill(simulation, op.worker)
    case "hand":
      simulation.tally.count(`hand: ${op.what}`)
      return playHand(cluster(simulation, op.cluster), op)
    case "lose":
      return lose(simulation, op)
    case "later":
      simulation.now += op.minutes * 60_000
      return
    case "round":
      return round(simulation)
    case "prune":
      return start(simulation, () =>
        startPrune(
          simulation,
          cluster(simulation, op.cluster),
          op.tools ? "tools" : "release",
          programAt(simulation, op.program),
        ),
      )
    default:
      return playWorld(simulation, op)
  }
}

async function round(simulation: Simulation): Promise<void> {
  for (const where of simulation.clusters) {
    for (const source of SOURCES) await finish(startReconcile(simulation, where, source, "incremental"))
  }
}

async function lose(simulation: Simulation, op: Extract<Op, { op: "lose" }>): Promise<void> {
  const source = op.tools ? "tools" : "release"
  if (await loseRecord(cluster(simulation, op.cluster), OWN_NAMESPACE, source)) {
    simulation.tally.count("record lost")
    // The next one is made a second later at least, as Kubernetes keeps their times.
    simulation.now += SECOND_MS
  }
}

function deliver(simulation: Simulation, { which, again, program }: Extract<Op, { op: "deliver" }>): void {
  const index = which % Math.max(1, simulation.deliveries.length)
  const delivery = simulation.deliveries[index]
  if (delivery === undefined) return
  const { cluster: where, source } = delivery
  const earlier = simulation.deliveries.findIndex(
    (other) => other.cluster === where && other.source === source,
  )
  simulation.tally.count(`delivery: arrives${earlier < index ? " out of order" : ""}`)
  if (again) simulation.tally.count("delivery: doubled")
  else simulation.deliveries.splice(index, 1)
  start(simulation, () =>
    startReconcile(simulation, where, source, "incremental", keeping(simulation, program)),
  )
}

/** The program of this number that keeps its memory; undefined: one that has just started. */
function keeping(simulation: Simulation, choice: number | undefined): Program | undefined {
  return choice === undefined ? undefined : simulation.programs[choice]
}

function drop(simulation: Simulation, which: number): void {
  const dropped = simulation.deliveries.splice(which % Math.max(1, simulation.deliveries.length), 1)
  if (dropped.length > 0) simulation.tally.count("delivery: dropped")
}

function look(simulation: Simulation, op: Extract<Op, { op: "start" }>): void {
  simulation.tally.count(op.full ? "look: bootstrapper" : "look: poll")
  const mode = op.full ? "full" : "incremental"
  start(simulation, () =>
    startReconcile(
      simulation,
      cluster(simulation, op.cluster),
      op.tools ? "tools" : "release",
      mode,
      keeping(simulation, op.program),
    ),
  )
}

function start(simulation: Simulation, begin: () => Worker): void {
  simulation.workers = simulation.workers.filter((worker) => !worker.done && !worker.dead)
  if (simulation.workers.length < MOST_WORKERS) simulation.workers.push(begin())
}

async function night(simulation: Simulation, where: MonitoredCluster): Promise<void> {
  await finish(startGarbage(simulation, where))
  simulation.now += NIGHT_MS
  await finish(startGarbage(simulation, where))
}

async function steps(simulation: Simulation, op: Extract<Op, { op: "step" }>): Promise<void> {
  const worker = live(simulation, op.worker)
  if (worker === undefined) return
  for (let count = 1; count < op.count; count++) await step(worker, op.gate, "none")
  const met = await step(worker, op.gate, op.fault)
  if (met) simulation.tally.count(`call: ${met}`)
}

async function finishOne(simulation: Simulation, choice: number): Promise<void> {
  const worker = live(simulation, choice)
  if (worker && !(await finish(worker))) throw new Error("a worker does not end")
}

function kill(simulation: Simulation, choice: number): void {
  const worker = live(simulation, choice)
  if (worker === undefined) return
  worker.dead = true
  simulation.tally.count(`killed: ${worker.kind}`)
}

function live(simulation: Simulation, choice: number): Worker | undefined {
  const running = simulation.workers.filter((worker) => !worker.done && !worker.dead)
  return running[choice % Math.max(1, running.length)]
}

function cluster(simulation: Simulation, choice: number): MonitoredCluster {
  const found = simulation.clusters[choice % simulation.clusters.length]
  if (found === undefined) throw new Error("the model has no cluster")
  return found
}
