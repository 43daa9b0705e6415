import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { storeObjectName } from "@headrace/shared/bundle/store-config-map"
import type { SourceRecord } from "@headrace/shared/record/record"
import { type Candidate, isOpened } from "@headrace/shared/record/rollout-state"
import { nodeHash, takesCandidate } from "@headrace/shared/record/takes-candidate"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { clustersOf, stagesOf } from "@headrace/shared/rollout/policy"
import { Violation } from "../violation.ts"
import { effectIn } from "./model-node.ts"
import type { ModelCluster, RolloutWorld } from "./rollout-world.ts"

/** What an operator has said, which the checks have no say in from then on. */
export interface Spoken {
  /** Commits that were rewound to, held at or promoted by an operator, or whose rejection was lifted. */
  commits: Set<string>
  /** `COMMIT CLUSTER`: its rollout goes on without that cluster. */
  skipped: Set<string>
}

/** What was seen of a fleet since it began, to judge the next swap and the next thing that a node shows by. */
export interface RolloutWatch {
  /** To be called after each thing that happens. Throws Violation. */
  check(): Promise<void>
  /** The garbage collector takes its turn in a cluster. Throws Violation. */
  collect(cluster: string): Promise<void>
  spoken: Spoken
  /** A record was lost or put back there: what was known of its tokens is over. */
  forget(cluster: string): void
}

/** Watches the records and nodes of a fleet from outside: it knows the policy, and none of the code that decides. */
export function watchRollout(world: RolloutWorld): RolloutWatch {
  const spoken: Spoken = { commits: new Set(), skipped: new Set() }
  const { healthy } = world.policy.health.nodes
  const records = new Map<string, SourceRecord>()
  /** `CLUSTER TOKEN` to what it is of. */
  const tokens = new Map<string, string>()
  /** By `CLUSTER STAGE COMMIT` of a stage that was seen to pass: the policy that it passed under, as text. */
  const passed = new Map<string, string>()
  /** By `CLUSTER TOKEN` of a candidate: the policy that it was begun under, as text. */
  const begun = new Map<string, string>()
  /** By `CLUSTER COMMIT`: it was the baseline there. */
  const promoted = new Set<string>()
  /** By `NODE TOKEN ROOT`: when its last report with that came, all being well. */
  const reports = new Map<string, number>()

  async function check(): Promise<void> {
    for (const cluster of world.clusters.values()) noteReports(cluster)
    for (const { cluster, record } of world.swaps.splice(0)) checkSwap(world.cluster(cluster), record)
    for (const cluster of world.clusters.values()) {
      const record = await world.record(cluster.name)
      if (record === undefined) continue
      checkNodes(cluster, record)
      await checkView(cluster, record)
    }
  }

  function checkSwap(cluster: ModelCluster, record: SourceRecord): void {
    const before = records.get(cluster.name)
    records.set(cluster.name, record)
    checkForward(cluster.name, before, record)
    checkTokens(cluster.name, record)
    checkPassing(cluster, before, record)
    notePassing(cluster.name, record)
    checkStage(cluster.name, record)
    checkShare(cluster, record)
    checkForce(cluster.name, record)
  }

  function noteReports(cluster: ModelCluster): void {
    for (const { name, reported } of cluster.nodes.values()) {
      if (!reported?.shown || reported.checks === "failing" || reported.failed) continue
      reports.set(`${name} ${tokenText(reported.shown.token)} ${reported.shown.root}`, reported.at)
    }
  }

  /** R3: what is in force never goes back to a smaller token. */
  function checkForward(cluster: string, before: SourceRecord | undefined, { token }: SourceRecord): void {
    if (before === undefined || compareTokens(token, before.token) >= 0) return
    throw new Violation(
      `R3: the record of ${cluster} went from ${tokenText(before.token)} back to ${tokenText(token)}`,
    )
  }

  /** R4: an epoch is never used for a second thing. */
  function checkTokens(cluster: string, { commit, token, root, candidate }: SourceRecord): void {
    if (commit !== null) checkToken(cluster, tokenText(token), commit, root)
    if (candidate) checkToken(cluster, tokenText(candidate.token), candidate.commit, candidate.root)
  }

  function checkToken(cluster: string, token: string, commit: string, root: string | null): void {
    const key = `${cluster} ${token}`
    const was = tokens.get(key)
    const is = `${commit} ${root}`
    if (was !== undefined && was !== is)
      throw new Violation(`R4: token ${token} in ${cluster} is of two revisions`)
    tokens.set(key, is)
  }

  /** R4: a stage passes by reports of this candidate alone, one from each node after the bake time. */
  function checkPassing(cluster: ModelCluster, before: SourceRecord | undefined, record: SourceRecord): void {
    const was = before?.candidate
    if (!was || was.passed !== null || was.hurried || spoken.commits.has(was.commit)) return
    if (!hasPassed(was, record)) return
    if (begun.get(`${cluster.name} ${tokenText(was.token)}`) !== policyText())
      throw new Violation(`R1: a stage passed in ${cluster.name} under settings that were replaced`)
    if (was.expected.count === 0) throw new Violation(`R4: an empty stage passed in ${cluster.name}`)
    const { bake = 0 } = world.policy.stages[was.stage] ?? {}
    const confirmed = [...cluster.nodes.values()].filter(({ name, labels }) => {
      if (!takesCandidate({ source: record.source, node: name, labels }, was)) return false
      const at = reports.get(`${name} ${tokenText(was.token)} ${was.root}`)
      return at !== undefined && at >= Date.parse(was.since) + bake
    })
    if (confirmed.length < Math.ceil(healthy * was.expected.count))
      throw new Violation(
        `R4: a stage passed in ${cluster.name} without a report of each node after its bake time`,
      )
  }

  function hasPassed(was: Candidate, { commit, token, candidate }: SourceRecord): boolean {
    if (commit === was.commit && tokenText(token) === tokenText(was.token)) return true
    return candidate?.passed != null && tokenText(candidate.token) === tokenText(was.token)
  }

  function notePassing(cluster: string, { commit, candidate }: SourceRecord): void {
    forgetStages(cluster)
    if (candidate?.passed) passed.set(`${cluster} ${candidate.stage} ${candidate.commit}`, policyText())
    if (commit !== null) promoted.add(`${cluster} ${commit}`)
    const key = candidate && `${cluster} ${tokenText(candidate.token)}`
    if (key !== null && !begun.has(key)) begun.set(key, policyText())
  }

  /** What a cluster has passed under settings that were replaced before this swap counts for nothing. */
  function forgetStages(cluster: string): void {
    for (const [stage, policy] of passed)
      if (stage.startsWith(`${cluster} `) && policy !== policyText()) passed.delete(stage)
  }

  /** Settings that are put back are the same settings. */
  function policyText(): string {
    return JSON.stringify(world.policy)
  }

  /** R1: a stage begins when every one before it has passed, in every cluster. */
  function checkStage(cluster: string, { candidate }: SourceRecord): void {
    if (candidate === null || !isOpened(candidate) || spoken.commits.has(candidate.commit)) return
    const isSkipped = (other: string) => spoken.skipped.has(`${candidate.commit} ${other}`)
    for (let stage = 0; stage < candidate.stage; stage += 1) {
      const others = clustersOf(world.policy, stage).filter((other) => other !== cluster)
      const late = others.find(
        (other) =>
          stagesOf(world.policy, other).includes(stage) &&
          !isSkipped(other) &&
          !isThrough(other, stage, candidate.commit),
      )
      if (late !== undefined)
        throw new Violation(
          `R1: ${cluster} is in stage ${candidate.stage} before ${late} has passed stage ${stage}`,
        )
    }
  }

  /** R1: a share is never exceeded, whichever nodes are ill. */
  function checkShare(cluster: ModelCluster, { source, candidate }: SourceRecord): void {
    if (candidate === null) return
    const shares = world.policy.stages.slice(0, candidate.stage + 1).flatMap(({ nodes }) => {
      if (nodes === undefined) return [1]
      return typeof nodes === "number" ? [nodes] : []
    })
    const nodes = [...cluster.nodes.values()]
    const most = Math.max(1, Math.floor(Math.max(0, ...shares) * nodes.length))
    const taking = nodes.filter(({ name }) => nodeHash(source, name) < candidate.bound)
    if (taking.length > most)
      throw new Violation(
        `R1: a stage of ${cluster.name} reaches ${taking.length} nodes, more than its share`,
      )
  }

  function isThrough(cluster: string, stage: number, commit: string): boolean {
    if (promoted.has(`${cluster} ${commit}`)) return true
    return world.policy.stages.some(
      (_, later) => later >= stage && passed.get(`${cluster} ${later} ${commit}`) === policyText(),
    )
  }

  /** R1: no node shows a candidate that its record does not give it, nor one again that it has returned from. */
  function checkNodes(cluster: ModelCluster, { source, candidate }: SourceRecord): void {
    for (const { name, labels, shown, tried } of cluster.nodes.values()) {
      if (new Set(tried).size < tried.length)
        throw new Violation(`R1: node ${name} shows again what it has returned from`)
      // A node that is silent may go on to show the same commit as it was tried before, under another token.
      const isTried = shown && candidate && compareTokens(candidate.token, shown.token) === 0
      if (!isTried || promoted.has(`${cluster.name} ${shown.commit}`)) continue
      if (!takesCandidate({ source, node: name, labels }, candidate))
        throw new Violation(`R1: node ${name} shows a candidate outside its stage`)
    }
  }

  /** R1: the named ConfigMaps show no candidate before the stage that is for the whole cluster. */
  async function checkView(cluster: ModelCluster, { candidate, intents }: SourceRecord): Promise<void> {
    if (candidate === null || candidate.view || intents.length > 0) return
    if (promoted.has(`${cluster.name} ${candidate.commit}`)) return
    const view = await inProcessClient(cluster.store).get("ci", "alpha")
    if (view?.data?.["x.txt"] === world.repository.filesAt(candidate.commit).get("a/x.txt"))
      throw new Violation(`R1: the view of ${cluster.name} shows a candidate before its stage`)
  }

  /** What is in force, tried, or may be returned to, as far as it is in the store. */
  async function storedOf({ store, name }: ModelCluster): Promise<string[]> {
    const { root, candidate, previous } = (await world.record(name)) ?? {}
    const digests = [root, candidate?.root, candidate?.expected.nodes, previous?.root]
    const kube = inProcessClient(store)
    const found = digests.map(async (digest) => {
      if (digest === null || digest === undefined) return []
      const object = await kube.get("headrace", storeObjectName("index", digest))
      return object === undefined ? [] : [digest]
    })
    return (await Promise.all(found)).flat()
  }

  /** R3: garbage collection removes nothing that a record may show or return to. */
  async function collect(name: string): Promise<void> {
    const cluster = world.cluster(name)
    const before = await storedOf(cluster)
    await world.collect(name)
    const after = new Set(await storedOf(cluster))
    const gone = before.find((digest) => !after.has(digest))
    if (gone !== undefined)
      throw new Violation(`R3: object ${gone.slice(0, 12)} that the record of ${name} names was collected`)
  }

  /** R2: what fails wherever it is shown is in force nowhere, unless an operator says so. */
  function checkForce(cluster: string, { commit, candidate, rejected }: SourceRecord): void {
    if (
      candidate &&
      world.effects.get(candidate.commit) === "is refused" &&
      !spoken.commits.has(candidate.commit)
    )
      throw new Violation(`R2: ${cluster} tries commit ${candidate.commit}, which is refused by a gate`)
    if (rejected && world.policy.onFailure === "stop")
      throw new Violation(`R2: ${cluster} rejected ${rejected.commit}, though a failure stops a rollout`)
    if (commit === null || spoken.commits.has(commit)) return
    const effect = effectIn(world.effects.get(commit) ?? "works", cluster)
    if (effect !== "works") throw new Violation(`R2: ${cluster} promoted commit ${commit}: it ${effect}`)
  }

  return {
    check,
    collect,
    spoken,
    forget(cluster) {
      records.delete(cluster)
      for (const key of tokens.keys()) if (key.startsWith(`${cluster} `)) tokens.delete(key)
    },
  }
}
