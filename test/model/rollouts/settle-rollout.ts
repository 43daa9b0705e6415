import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { releaseSource } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRecord } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { assemble } from "../store-view.ts"
import { Violation } from "../violation.ts"
import { effectIn } from "./model-node.ts"
import { type RolloutWorld, SOURCE, UNKNOWN } from "./rollout-world.ts"
import type { RolloutWatch } from "./watch-rollout.ts"

/** Long enough for every stage, every silence and every return of a few rollouts. */
const MOST_SECONDS = 240
/** What still waits for an operator then goes on waiting. */
const ENOUGH_SECONDS = 60
const quiet = new AbortController().signal

/**
 * Lets every cluster and node answer again, without holds, and looks until nothing moves any more. Then judges: R5, that
 * rollouts have ended; R2, that nothing rejected is in force; R3, that nodes and named ConfigMaps show the baseline.
 */
export async function settleRollout(world: RolloutWorld, watch: RolloutWatch): Promise<void> {
  for (const cluster of world.clusters.values()) {
    cluster.answers = true
    for (const node of cluster.nodes.values()) {
      node.alive = true
      node.deaf = false
    }
    if (await world.record(cluster.name)) await release(world, cluster.name)
  }
  let holdUp: string[] = []
  for (let second = 0; second < MOST_SECONDS; second += 1) {
    world.now += 1000
    holdUp = await lookEverywhere(world, second % 2)
    await watch.check()
    if (second % 5 === 4 && (await isOver(world))) break
    if (second > ENOUGH_SECONDS && mayWait(world, await recordsOf(world), holdUp)) break
  }
  // The nodes may have looked before the last swap.
  await lookEverywhere(world, 0)
  await judge(world, holdUp)
}

async function release(world: RolloutWorld, cluster: string): Promise<void> {
  await releaseSource({ ...world.ports(cluster), source: SOURCE, namespace: "headrace" }, quiet)
}

async function lookEverywhere(world: RolloutWorld, process: number): Promise<string[]> {
  const holdUp: string[] = []
  for (const { name, nodes } of world.clusters.values()) {
    for (const node of nodes.values()) {
      await world.lookOfNode(name, node.name)
      // What silences a node does so once: somebody starts it again.
      node.alive = true
    }
    const done = await world.look(name, { process })
    holdUp.push(...(done?.rollout?.holdUp ?? []).map((what) => `${name}: ${what}`))
    if (done?.stopped) holdUp.push(`${name}: ${done.stopped.message}`)
  }
  return holdUp
}

async function recordsOf(world: RolloutWorld): Promise<Map<string, SourceRecord>> {
  const records = new Map<string, SourceRecord>()
  for (const name of world.clusters.keys()) {
    const record = await world.record(name)
    if (record) records.set(name, record)
  }
  return records
}

/** What may hold a rollout up though every cluster and node answers: an operator or a newer commit ends that. */
const LEGITIMATE = /onFailure is stop|was rejected: |\(gate |is lost, and nothing says/

/** Where an operator has put a bad commit in force, nodes are ill with it, and what is next waits for them. */
function mayWait(
  { effects }: RolloutWorld,
  records: ReadonlyMap<string, SourceRecord>,
  holdUp: readonly string[],
): boolean {
  if (holdUp.some((what) => LEGITIMATE.test(what))) return true
  const isIll = [...records].some(([name, { commit }]) => {
    return effectIn(effects.get(commit ?? "") ?? "works", name) !== "works"
  })
  return isIll && holdUp.length > 0
}

/** The tip is in force everywhere, or rejected and in force nowhere. */
async function isOver(world: RolloutWorld): Promise<boolean> {
  const records = [...(await recordsOf(world)).values()]
  if (records.some(({ candidate, intents }) => candidate !== null || intents.length > 0)) return false
  const tip = world.repository.tip()
  const isRejected = records.some(({ rejected }) => rejected?.commit === tip)
  return (
    records.length === world.clusters.size &&
    (isRejected
      ? records.every(({ commit }) => commit !== tip)
      : records.every(({ commit }) => commit === tip))
  )
}

async function judge(world: RolloutWorld, holdUp: readonly string[]): Promise<void> {
  const records = await recordsOf(world)
  if (!(await isOver(world)) && !mayWait(world, records, holdUp)) {
    const shown = [...records].map(
      ([name, { commit, candidate }]) => `${name} ${commit?.slice(0, 6)} ${candidate?.commit.slice(0, 6)}`,
    )
    throw new Violation(
      `R5: the rollout has not ended: ${shown.join("; ")}; it waits for ${holdUp.join("; ")}`,
    )
  }
  const rejected = new Set([...records.values()].flatMap((record) => record.rejected?.commit ?? []))
  for (const [name, record] of records) {
    checkRejected(name, record, rejected)
    if (record.candidate !== null) continue
    checkNodes(world, name, record)
    await checkView(world, name, record)
  }
}

/** R2: where a rejection can be read, nothing of it is tried or in force. */
function checkRejected(
  cluster: string,
  { candidate, commit, previous }: SourceRecord,
  rejected: ReadonlySet<string>,
): void {
  if (commit !== null && rejected.has(commit) && previous)
    throw new Violation(`R2: ${cluster} shows a rejected commit`)
  if (candidate && rejected.has(candidate.commit))
    throw new Violation(`R2: ${cluster} tries a rejected commit`)
}

/** R3: every node shows the baseline. */
function checkNodes(world: RolloutWorld, cluster: string, { commit, token, root }: SourceRecord): void {
  for (const { name, shown } of world.cluster(cluster).nodes.values()) {
    const isBaseline = shown && compareTokens(shown.token, token) === 0 && shown.root === root
    if (!isBaseline && shown?.commit !== commit)
      throw new Violation(
        `R3: node ${name} shows ${shown && tokenText(shown.token)}, not the baseline ${tokenText(token)}`,
      )
  }
}

/** R3: the named ConfigMap is what the commit in force has, or, where a part of that is unknown, what its root keeps. */
async function checkView(
  world: RolloutWorld,
  cluster: string,
  { commit, root, previous }: SourceRecord,
): Promise<void> {
  const { kube, store } = world.cluster(cluster)
  // It waits while the record leads back to what refuses it (docs/decisions/180).
  if (previous && world.repository.rawAt(previous.commit).has(UNKNOWN)) return
  const isKept = world.repository.rawAt(commit ?? "").has(UNKNOWN)
  const kept = isKept ? (await assemble(kube, "headrace", root ?? "")).get("ci/alpha") : undefined
  // A record that is lost may be begun with a commit that gives the target nothing.
  if (isKept && kept === undefined) return
  const wanted = (kept ?? world.repository.filesAt(commit ?? "")).get(kept ? "x.txt" : "a/x.txt")
  const view = await inProcessClient(store).get("ci", "alpha")
  if (view?.data?.["x.txt"] !== wanted)
    throw new Violation(
      `R3: the view of ${cluster} is ${view?.data?.["x.txt"]}, not the baseline's ${wanted}`,
    )
}
