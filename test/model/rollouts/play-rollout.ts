import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { holdSource, releaseSource, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { SourceRecord } from "@headrace/shared/record/record"
import { liftRejection, promoteNow, skipCluster } from "@headrace/shared/rollout/words"
import { report } from "./model-node.ts"
import type { RolloutOp, RolloutSchedule } from "./rollout-schedule.ts"
import { type Broken, type RolloutWorld, rolloutWorld, runFor, SOURCE } from "./rollout-world.ts"
import { settleRollout } from "./settle-rollout.ts"
import { type RolloutWatch, watchRollout } from "./watch-rollout.ts"

const NAMES = ["canary", "build", "edge"]
const AFTERMATH_SECONDS = 12
const quiet = new AbortController().signal
const WORD = { by: "model", reason: "why not", at: "2026-01-01T00:00:00.000Z" }

/** Plays a schedule, then lets everything answer again, and judges what came of it. Throws Violation. */
export async function playRollout(schedule: RolloutSchedule, broken: Broken = {}): Promise<void> {
  const world = worldOf(schedule, broken)
  const watch = watchRollout(world)
  // What comes first is shown whole: there is nothing to return to.
  await runFor(world, 2)
  const backups = new Map<string, ConfigMap>()
  for (const op of schedule.ops) {
    await play(world, watch, backups, op, schedule.unknown ?? 0)
    await watch.check()
  }
  await world.wake()
  await watch.check()
  // What died stays dead for a while: longer than a stage, shorter than the silence that fails it, and then beyond.
  let isUnhurt = true
  for (let second = 0; second < AFTERMATH_SECONDS; second += 1) {
    await runFor(world, 1, second % 2)
    await watch.check()
    if (schedule.dies && isUnhurt) isUnhurt = !killOneThatTries(world)
  }
  await settleRollout(world, watch)
}

/** False where no node that lives shows a candidate. */
function killOneThatTries(world: RolloutWorld): boolean {
  const nodes = [...world.clusters.values()].flatMap((cluster) => [...cluster.nodes.values()])
  const found = nodes.find(({ alive, shown }) => alive && shown?.isCandidate)
  if (found) found.alive = false
  return found !== undefined
}

function worldOf(
  { sizes, newer, onFailure, healthy, labels }: RolloutSchedule,
  broken: Broken,
): RolloutWorld {
  const fleet = Object.fromEntries(sizes.map((size, index) => [NAMES[index] ?? "", size]))
  const first = sizes.length > 1 ? { clusters: ["canary"] } : {}
  const stages = [
    { ...first, nodes: labels ? { matchLabels: { tier: "canary" } } : "40%", bake: "3s" },
    { ...first, bake: "2s" },
    { nodes: "50%", bake: "2s" },
    { bake: "2s" },
  ]
  const health = { nodes: { healthy, within: "15s" } }
  return rolloutWorld(fleet, { stages, newer, onFailure, health }, broken)
}

async function play(
  world: RolloutWorld,
  watch: RolloutWatch,
  backups: Map<string, ConfigMap>,
  op: RolloutOp,
  unknown: number,
): Promise<void> {
  const names = [...world.clusters.keys()]
  const cluster = "cluster" in op ? (names[op.cluster % names.length] ?? "") : ""
  switch (op.kind) {
    case "wait":
      world.now += op.seconds * 1000
      return
    case "commit":
      world.commit(op.effect, unknown > 0 && world.effects.size % unknown === 0)
      return
    case "wake":
      return world.wake()
    case "policy":
      return changePolicy(world)
    case "pause":
      return world.lookAndPause(cluster, op.process, op.before)
    case "collect":
      return watch.collect(cluster)
    case "return":
      return world.returnFailed(cluster)
    case "look":
      return look(world, cluster, op)
    case "nodes":
      for (const node of world.cluster(cluster).nodes.keys()) await world.lookOfNode(cluster, node)
      return
    case "kill":
    case "revive":
    case "deafen":
    case "hear":
      return changeNode(world, cluster, op)
    case "release":
    case "hold":
    case "lift":
    case "promote":
    case "skip":
    case "rewind":
      return speak(world, watch, cluster, op)
    default:
      return changeCluster(world, watch, backups, cluster, op.kind)
  }
}

/** A process that sleeps would go on with the settings that it has read. */
function changePolicy(world: RolloutWorld): void {
  if (world.asleep.size > 0) return
  const { policy } = world
  const by = policy === world.firstPolicy ? 1000 : 0
  const stages = world.firstPolicy.stages.map((stage) => ({ ...stage, bake: stage.bake + by }))
  world.policy = by > 0 ? { ...policy, stages } : world.firstPolicy
}

async function look(
  world: RolloutWorld,
  cluster: string,
  { process, full, stopAfter }: Extract<RolloutOp, { kind: "look" }>,
): Promise<void> {
  const cut = stopAfter === undefined ? {} : { stopAfter }
  await world.look(cluster, { process, mode: full ? "full" : "incremental", ...cut })
}

function changeNode(
  world: RolloutWorld,
  cluster: string,
  { kind, node }: Extract<RolloutOp, { node: number }>,
): void {
  const nodes = [...world.cluster(cluster).nodes.values()]
  const found = nodes[node % nodes.length]
  if (found === undefined) return
  if (kind === "kill") found.alive = false
  if (kind === "revive") found.alive = true
  if (kind === "deafen") found.deaf = true
  if (kind === "hear") found.deaf = false
  report(found, world.now)
}

async function changeCluster(
  world: RolloutWorld,
  watch: RolloutWatch,
  backups: Map<string, ConfigMap>,
  name: string,
  kind: RolloutOp["kind"],
): Promise<void> {
  const cluster = world.cluster(name)
  const kube = inProcessClient(cluster.store)
  const now = await kube.get("headrace", SOURCE)
  if (kind === "away") cluster.answers = false
  if (kind === "back") cluster.answers = true
  if (kind === "restart") world.memories = [createReconcileMemory(), createReconcileMemory()]
  if (kind === "backup" && now) backups.set(name, now)
  if (kind !== "lose" && kind !== "restore") return
  const backup = backups.get(name)
  if (kind === "restore" && backup === undefined) return
  await noteTried(world, watch, name)
  watch.forget(name)
  if (now) await kube.remove(now)
  if (kind === "restore" && backup) {
    const { resourceVersion: _v, uid: _u, ...metadata } = backup.metadata
    await kube.create({ ...backup, metadata })
  }
}

/** Where the named ConfigMaps show a candidate, a record that is lost is begun again at what they show. */
async function noteTried(world: RolloutWorld, watch: RolloutWatch, cluster: string): Promise<void> {
  const record = await world.record(cluster)
  if (record?.candidate) watch.spoken.commits.add(record.candidate.commit)
}

async function speak(
  world: RolloutWorld,
  watch: RolloutWatch,
  cluster: string,
  op: RolloutOp,
): Promise<void> {
  const record = await world.record(cluster)
  if (record === undefined || !world.cluster(cluster).answers) return
  try {
    await obey(world, watch, cluster, op, record)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
  }
}

async function obey(
  world: RolloutWorld,
  { spoken }: RolloutWatch,
  cluster: string,
  op: RolloutOp,
  { candidate }: SourceRecord,
): Promise<void> {
  const ports = { ...world.ports(cluster), source: SOURCE, namespace: "headrace" }
  const said = { by: "model", reason: "why not", until: null }
  if (op.kind === "release") await releaseSource(ports, quiet)
  if (op.kind === "hold") await holdSource(ports, said, quiet)
  if (op.kind === "rewind") {
    const commit = earlier(world, op.commits)
    spoken.commits.add(commit)
    await rewindSource(ports, { ...said, commit }, quiet)
  }
  if (op.kind === "lift") {
    await changeRecord(ports, (now) => liftRejection(now, now.rejected?.commit ?? ""), quiet)
  }
  if (candidate === null) return
  if (op.kind === "promote") {
    spoken.commits.add(candidate.commit)
    await changeRecord(ports, (now) => promoteNow(now, WORD), quiet)
  }
  if (op.kind === "skip") {
    const others = [...world.clusters.keys()].filter((other) => other !== cluster)
    const skipped = others[0] ?? cluster
    spoken.skipped.add(`${candidate.commit} ${skipped}`)
    await changeRecord(ports, (now) => skipCluster(now, skipped, WORD), quiet)
  }
}

function earlier({ repository }: RolloutWorld, commits: number): string {
  let commit = repository.tip()
  for (let back = 0; back < commits; back += 1) commit = repository.parentsOf(commit)[0] ?? commit
  return commit
}
