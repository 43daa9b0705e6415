import { finish, step, type Worker } from "./gates.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { playGit } from "./play-git.ts"
import { loseRecord, playHand } from "./play-hands.ts"
import { startCommand } from "./play-operator.ts"
import type { Op } from "./schedule.ts"
import { OWN_NAMESPACE, SOURCES, startGarbage, startReconcile, type World } from "./world.ts"

/** Time passes between any two things. */
const TICK_MS = 10
/** Everything at once in flight. */
const MOST_WORKERS = 5
const NIGHT_MS = 2 * 3_600_000

/** Does one op of a schedule. */
export async function play(world: World, op: Op): Promise<void> {
  world.now += TICK_MS
  switch (op.op) {
    case "commit":
    case "rename":
    case "revert":
    case "foxtrot":
    case "rewrite":
    case "tool":
    case "rewriteRules":
      return playGit(world, op)
    case "deliver":
      return deliver(world, op.which, op.again)
    case "drop":
      return drop(world, op.which)
    case "flush":
      if (world.deliveries.length > 0) world.tally.count("delivery: Redis flushed")
      world.deliveries = []
      return
    case "start":
      return look(world, op)
    case "garbage":
      return start(world, () => startGarbage(world, cluster(world, op.cluster)))
    case "night":
      return night(world, cluster(world, op.cluster))
    case "hold":
    case "release":
    case "rewind":
    case "approve":
    case "adopt":
    case "detach":
      return start(world, () => startCommand(world, cluster(world, op.cluster), op))
    case "step":
      return steps(world, op)
    case "finish":
      return finishOne(world, op.worker)
    case "kill":
      return kill(world, op.worker)
    case "hand":
      world.tally.count(`hand: ${op.what}`)
      return playHand(cluster(world, op.cluster), op)
    case "lose":
      return lose(world, op)
    case "later":
      world.now += op.minutes * 60_000
      return
    case "round":
      return round(world)
  }
}

async function round(world: World): Promise<void> {
  for (const where of world.clusters) {
    for (const source of SOURCES) await finish(startReconcile(world, where, source, "incremental"))
  }
}

async function lose(world: World, op: Extract<Op, { op: "lose" }>): Promise<void> {
  const source = op.tools ? "tools" : "release"
  if (await loseRecord(cluster(world, op.cluster), OWN_NAMESPACE, source)) world.tally.count("record lost")
}

function deliver(world: World, which: number, again: boolean): void {
  const index = which % Math.max(1, world.deliveries.length)
  const delivery = world.deliveries[index]
  if (delivery === undefined) return
  const { cluster: where, source } = delivery
  const earlier = world.deliveries.findIndex((other) => other.cluster === where && other.source === source)
  world.tally.count(`delivery: arrives${earlier < index ? " out of order" : ""}`)
  if (again) world.tally.count("delivery: doubled")
  else world.deliveries.splice(index, 1)
  start(world, () => startReconcile(world, where, source, "incremental"))
}

function drop(world: World, which: number): void {
  const dropped = world.deliveries.splice(which % Math.max(1, world.deliveries.length), 1)
  if (dropped.length > 0) world.tally.count("delivery: dropped")
}

function look(world: World, op: Extract<Op, { op: "start" }>): void {
  world.tally.count(op.full ? "look: bootstrapper" : "look: poll")
  const mode = op.full ? "full" : "incremental"
  start(world, () => startReconcile(world, cluster(world, op.cluster), op.tools ? "tools" : "release", mode))
}

function start(world: World, begin: () => Worker): void {
  world.workers = world.workers.filter((worker) => !worker.done && !worker.dead)
  if (world.workers.length < MOST_WORKERS) world.workers.push(begin())
}

async function night(world: World, where: MonitoredCluster): Promise<void> {
  await finish(startGarbage(world, where))
  world.now += NIGHT_MS
  await finish(startGarbage(world, where))
}

async function steps(world: World, op: Extract<Op, { op: "step" }>): Promise<void> {
  const worker = live(world, op.worker)
  if (worker === undefined) return
  for (let count = 1; count < op.count; count++) await step(worker, op.gate, "none")
  const met = await step(worker, op.gate, op.fault)
  if (met) world.tally.count(`call: ${met}`)
}

async function finishOne(world: World, choice: number): Promise<void> {
  const worker = live(world, choice)
  if (worker && !(await finish(worker))) throw new Error("a worker does not end")
}

function kill(world: World, choice: number): void {
  const worker = live(world, choice)
  if (worker === undefined) return
  worker.dead = true
  world.tally.count(`killed: ${worker.kind}`)
}

function live(world: World, choice: number): Worker | undefined {
  const running = world.workers.filter((worker) => !worker.done && !worker.dead)
  return running[choice % Math.max(1, running.length)]
}

function cluster(world: World, choice: number): MonitoredCluster {
  const found = world.clusters[choice % world.clusters.length]
  if (found === undefined) throw new Error("the model has no cluster")
  return found
}
