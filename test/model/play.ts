import {
  approveCommit,
  holdSource,
  releaseSource,
  rewindSource,
} from "@headrace/shared/reconcile/hold-source"
import { finish, startWorker, step, type Worker } from "./gates.ts"
import type { ModelRepository } from "./model-repository.ts"
import { RULE_TEXTS, RULES_PATH } from "./model-rules.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Edit, Op } from "./schedule.ts"
import { NEVER, OWN_NAMESPACE, portsOf, startGarbage, startReconcile, type World } from "./world.ts"

const PATHS = [
  "a/0.txt",
  "a/1.txt",
  "a/2.txt",
  "b/0.txt",
  "b/1.txt",
  "b/2.txt",
  "c/0.txt",
  "a/link.txt",
  "d/0.txt",
]
const LINKED = "b/1.txt"
/** Time passes between any two things. */
const TICK_MS = 10
/** Everything at once in flight. */
const MOST_WORKERS = 5
const HANDLED = ["ci/alpha", "ops/beta", "ci/tools"]

/** Does one op of a schedule. */
export async function play(world: World, op: Op): Promise<void> {
  const { release, tools } = world.repositories
  world.now += TICK_MS
  switch (op.op) {
    case "commit":
      return advance(release, [release.tip()], edited(release, release.tip(), op.edits, op.rules))
    case "revert":
      return advance(release, [release.tip()], new Map(release.filesAt(back(release, op.back + 1))))
    case "foxtrot":
      return foxtrot(release, op.back, op.edits)
    case "rewrite":
      return rewrite(release, op.back, op.commits)
    case "tool":
      return advance(
        tools,
        [tools.tip()],
        new Map(tools.filesAt(tools.tip())).set("t/0.txt", `v${op.content}`),
      )
    case "start":
      return start(world, () =>
        startReconcile(
          world,
          cluster(world, op.cluster),
          op.tools ? "tools" : "release",
          op.full ? "full" : "incremental",
        ),
      )
    case "garbage":
      return start(world, () => startGarbage(world, cluster(world, op.cluster)))
    case "night":
      return night(world, cluster(world, op.cluster))
    case "hold":
    case "release":
    case "rewind":
    case "approve":
      return start(world, () => operate(world, op))
    case "step":
      return steps(world, op)
    case "finish":
      return finishOne(world, op.worker)
    case "kill":
      return kill(world, op.worker)
    case "hand":
      return handle(cluster(world, op.cluster), HANDLED[op.target] ?? "", op.what)
    case "lose":
      world.lost = true
      return remove(cluster(world, op.cluster), OWN_NAMESPACE, "release")
    case "later":
      world.now += op.minutes * 60_000
  }
}

/** The commit so many first parents before the tip, or the first one. */
function back(repository: ModelRepository, count: number): string {
  let commit = repository.tip()
  for (let step = 0; step < count; step++) commit = repository.parentsOf(commit)[0] ?? commit
  return commit
}

function advance(repository: ModelRepository, parents: string[], files: Map<string, string>): void {
  repository.push(repository.add(parents, files))
}

/** A fast-forward whose old tip is the second parent: its first-parent count is smaller than before. */
function foxtrot(repository: ModelRepository, count: number, edits: Edit[]): void {
  const base = back(repository, count)
  const side = repository.add([base], edited(repository, base, edits, -1))
  advance(repository, [side, repository.tip()], edited(repository, repository.tip(), edits, -1))
}

/** A force-push: shorter, equal or longer than what it replaces. */
function rewrite(repository: ModelRepository, count: number, commits: Edit[][]): void {
  let tip = back(repository, count)
  for (const edits of commits) tip = repository.add([tip], edited(repository, tip, edits, -1))
  repository.push(tip)
}

function edited(
  repository: ModelRepository,
  commit: string,
  edits: Edit[],
  rules: number,
): Map<string, string> {
  const files = new Map(repository.filesAt(commit))
  for (const { path, content } of edits) {
    const name = PATHS[path] ?? "a/0.txt"
    if (content === -1) files.delete(name)
    else files.set(name, content === -2 && name !== LINKED ? `-> ${LINKED}` : `v${Math.max(0, content)}`)
  }
  if (rules >= 0) files.set(RULES_PATH, RULE_TEXTS[rules] ?? "")
  return files
}

function start(world: World, begin: () => Worker): void {
  world.workers = world.workers.filter((worker) => !worker.done && !worker.dead)
  if (world.workers.length < MOST_WORKERS) world.workers.push(begin())
}

async function night(world: World, where: MonitoredCluster): Promise<void> {
  await finish(startGarbage(world, where))
  world.now += 2 * 3_600_000
  await finish(startGarbage(world, where))
}

function operate(world: World, op: Extract<Op, { op: "hold" | "release" | "rewind" | "approve" }>): Worker {
  const where = cluster(world, op.cluster)
  const commit = back(world.repositories.release, op.back)
  const hold = {
    commit,
    by: "model",
    reason: "schedule",
    until: new Date(world.now + 3_600_000).toISOString(),
  }
  return startWorker("operator", async (worker) => {
    const ports = { ...portsOf(world, where, "release", worker), namespace: OWN_NAMESPACE, source: "release" }
    if (op.op === "hold") await holdSource(ports, hold, NEVER)
    if (op.op === "rewind") await rewindSource(ports, hold, NEVER)
    if (op.op === "release") await releaseSource(ports, NEVER)
    if (op.op === "approve") await approveCommit(ports, commit, NEVER)
  })
}

async function steps(world: World, op: Extract<Op, { op: "step" }>): Promise<void> {
  const worker = live(world, op.worker)
  if (worker === undefined) return
  for (let count = 1; count < op.count; count++) await step(worker, op.gate, "none")
  await step(worker, op.gate, op.fault)
}

async function finishOne(world: World, choice: number): Promise<void> {
  const worker = live(world, choice)
  if (worker && !(await finish(worker))) throw new Error("a worker does not end")
}

function kill(world: World, choice: number): void {
  const worker = live(world, choice)
  if (worker) worker.dead = true
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

async function handle(
  where: MonitoredCluster,
  place: string,
  what: "edit" | "stray" | "delete" | "disown",
): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  const existing = await where.direct.get(namespace, name)
  if (existing === undefined) {
    if (what === "disown") await where.direct.create({ metadata: { namespace, name }, data: { theirs: "x" } })
    return
  }
  if (what === "delete") return where.direct.remove(existing)
  if (what === "disown") return
  const data = { ...existing.data, [what === "edit" ? "0.txt" : "stray"]: "v1" }
  const { "0.txt": _, ...binaryData } = existing.binaryData ?? {}
  await where.direct.replace({
    ...existing,
    data,
    binaryData: what === "edit" ? binaryData : (existing.binaryData ?? {}),
  })
}

async function remove(where: MonitoredCluster, namespace: string, name: string): Promise<void> {
  const existing = await where.direct.get(namespace, name)
  if (existing) await where.direct.remove(existing)
}
