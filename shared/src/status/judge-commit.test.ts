import fc from "fast-check"
import { expect, it } from "vitest"
import type { Lease } from "../kube/lease-api.ts"
import { REPORT_ANNOTATION } from "../record/node-report.ts"
import { newRecord, type SourceRecord, type Token } from "../record/record.ts"
import { compareTokens } from "../record/token.ts"
import { answered } from "./answer.ts"
import { type CommitVerdict, judgeCommit } from "./judge-commit.ts"
import { revisionsWith } from "./revisions-with.ts"

const COUNTED_MS = 180_000
const FAILED = { target: "ci/x", reason: "kube/forbidden: no", since: "2026-01-01T00:00:00Z" }

/** A commit of a history that forks: its id says how many ancestors it has; `parents` says which. */
interface Branch {
  parents: Map<string, string | undefined>
  tip: string
}

interface Node {
  alive: boolean
  /** The largest token that it has shown; it refuses a smaller one. */
  floor: Token | undefined
  /** What is on its disk. */
  shows: { commit: string; token: Token } | undefined
  /** Its Lease. */
  report: { commit: string | undefined; token: Token | undefined; renewed: number } | undefined
}

interface World {
  branch: Branch
  record: SourceRecord
  /** Records from before, which a backup may bring back. */
  backups: SourceRecord[]
  nodes: Node[]
  now: number
}

interface NodeStep {
  kind: "publish" | "report" | "die" | "start" | "wipe"
  node: number
}

type Step =
  | { kind: "merge" | "rewrite" | "rewind" | "restore" | "fail" | "mend" | "begin" }
  | NodeStep
  | { kind: "wait"; milliseconds: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "merge" }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("rewrite", "rewind", "restore", "fail", "mend", "begin")
      .map((kind) => ({ kind }) as Step),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom("publish", "report"),
      node: fc.nat(2),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("die", "start", "wipe"),
      node: fc.nat(2),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 1,
    arbitrary: fc.nat(2 * COUNTED_MS).map((milliseconds): Step => ({ kind: "wait", milliseconds })),
  },
)

it("calls nothing live early, over random merges, rewinds, restores, deaths and reports", async () => {
  let live = 0
  const run = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 60 }),
    fc.nat(2),
    async (steps, count) => {
      const world = newWorld(count + 1)
      let leasesBefore = leasesOf(world)
      let reportsBefore = reportsOf(world)
      for (const one of steps) {
        play(world, one)
        live += await expectNothingEarly(world, leasesBefore, reportsBefore)
        leasesBefore = leasesOf(world)
        reportsBefore = reportsOf(world)
      }
    },
  )
  await fc.assert(run, { numRuns: 300 })
  // What never says live says nothing early, and is of no use.
  expect(live).toBeGreaterThan(300)
})

/** The Leases are read first, the record a moment later: up to one step lies between. Gives how much is live. */
async function expectNothingEarly(world: World, leases: Lease[], reports: Node["report"][]): Promise<number> {
  let live = 0
  for (const commit of world.branch.parents.keys()) {
    const verdict = await judge(world, leases, commit)
    if (!verdict.live) continue
    live++
    expect(contains(world.branch, world.record.commit ?? "", commit)).toBe(true)
    expect(world.record.failed).toEqual([])
    for (const report of reports) {
      expect(report && world.now <= report.renewed + COUNTED_MS).toBe(true)
      expect(contains(world.branch, report?.commit ?? "", commit)).toBe(true)
    }
  }
  return live
}

function newWorld(nodes: number): World {
  const first = "1".padStart(40, "0")
  return {
    branch: { parents: new Map([[first, undefined]]), tip: first },
    record: { ...newRecord("release", { epoch: 1, seq: 1 }), commit: first },
    backups: [],
    nodes: Array.from({ length: nodes }, () => ({
      alive: true,
      floor: undefined,
      shows: undefined,
      report: { commit: undefined, token: undefined, renewed: 0 },
    })),
    now: 0,
  }
}

function play(world: World, one: Step): void {
  world.now += 1
  const { branch, record } = world
  if (one.kind === "merge") commitTo(world, addCommit(branch, branch.tip), record.token.epoch)
  else if (one.kind === "rewrite") {
    commitTo(world, addCommit(branch, branch.parents.get(branch.tip) ?? branch.tip), nextEpoch(world))
  } else if (one.kind === "rewind") {
    commitTo(world, branch.parents.get(record.commit ?? "") ?? branch.tip, nextEpoch(world))
  } else if (one.kind === "restore") {
    world.record = world.backups.shift() ?? record
    world.backups = []
  } else if (one.kind === "fail") world.record = { ...record, failed: [FAILED] }
  else if (one.kind === "mend") world.record = { ...record, failed: [] }
  else if (one.kind === "begin") {
    const token = { epoch: nextEpoch(world), seq: 1 }
    const commit = [...branch.parents.keys()][0] ?? ""
    world.record = { ...record, intents: [{ token, commit, rulesCommit: null, targets: [] }] }
  } else if (one.kind === "wait") world.now += one.milliseconds
  if ("node" in one) playNode(world, one.kind, world.nodes[one.node % world.nodes.length])
}

function playNode({ record, now }: World, kind: Step["kind"], node: Node | undefined): void {
  if (node === undefined) return
  if (kind === "die") node.alive = false
  if (kind === "start") node.alive = true
  if (!node.alive) return
  if (kind === "wipe") node.shows = undefined
  if (kind === "publish" && record.commit !== null) {
    const isOlder = node.floor !== undefined && compareTokens(record.token, node.floor) < 0
    if (isOlder) return
    node.floor = record.token
    node.shows = { commit: record.commit, token: record.token }
  }
  if (kind === "report") node.report = { commit: node.shows?.commit, token: node.shows?.token, renewed: now }
}

/** As reconcile does: a put-back record is noticed by what nodes report, and the next epoch is beyond. */
function nextEpoch({ record, nodes }: World): number {
  const epochs = nodes.flatMap(({ floor }) => (floor ? [floor.epoch] : []))
  return Math.max(record.token.epoch, ...record.intents.map(({ token }) => token.epoch), ...epochs) + 1
}

function addCommit(branch: Branch, parent: string): string {
  const id = String(branch.parents.size + 1).padStart(40, "0")
  branch.parents.set(id, parent)
  branch.tip = id
  return id
}

function commitTo(world: World, commit: string, epoch: number): void {
  const { record, branch, nodes } = world
  world.backups = [record, ...world.backups].slice(0, 3)
  const beyond = nodes.some(({ floor }) => floor && compareTokens(floor, record.token) > 0)
  const token = { epoch: beyond ? nextEpoch(world) : epoch, seq: seqOf(branch, commit) }
  const shown = record.commit === null ? [] : [{ commit: record.commit, token: record.token, root: "a" }]
  const history = [...shown, ...record.history].slice(0, 3)
  world.record = { ...record, commit, token, history, intents: [] }
  branch.tip = commit
}

function ancestors(branch: Branch, commit: string): string[] {
  const found: string[] = []
  for (let one: string | undefined = commit; one !== undefined; one = branch.parents.get(one)) found.push(one)
  return found
}

function contains(branch: Branch, commit: string, ancestor: string): boolean {
  return ancestors(branch, commit).includes(ancestor)
}

function seqOf(branch: Branch, commit: string): number {
  return ancestors(branch, commit).length
}

function leasesOf({ nodes }: World): Lease[] {
  return nodes.flatMap(({ report }, at) => {
    if (report === undefined) return []
    const { commit: revision = null, token = null } = report
    const projection = { name: "x", path: "/x", revision, token, since: null, problem: null }
    const text = {
      format: 1,
      node: `node-${at}`,
      record: "headrace/release",
      projections: [projection],
      more: 0,
      lowest: token,
    }
    return [lease(`node-${at}`, report.renewed, JSON.stringify(text))]
  })
}

function lease(name: string, renewed: number, report: string): Lease {
  return {
    namespace: "headrace",
    name,
    annotations: { [REPORT_ANNOTATION]: report },
    holder: name,
    renewed,
    duration: COUNTED_MS,
  }
}

function reportsOf({ nodes }: World): Node["report"][] {
  return nodes.map(({ report }) => report)
}

async function judge(world: World, leases: Lease[], commit: string): Promise<CommitVerdict> {
  const { branch, record, now } = world
  const repository = {
    seqOf: async (one: string) => seqOf(branch, one),
    contains: async (one: string, ancestor: string) => contains(branch, one, ancestor),
  }
  return judgeCommit({
    facts: {
      record: answered(record),
      leases: answered(leases),
      failed: answered(record.failed),
      recordName: "headrace/release",
      keepsStore: true,
    },
    commit,
    recorded: await revisionsWith(record, commit, repository, new AbortController().signal),
    ignoreSilent: false,
    now,
  })
}
