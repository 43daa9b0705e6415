import { approveCommit } from "@headrace/shared/reconcile/operate/approve-commit"
import { collectGarbage } from "@headrace/shared/reconcile/operate/collect-garbage"
import { holdSource, releaseSource, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import { randomNumbers } from "../crash/random-numbers.ts"
import { OWN_NAMESPACE, SOURCES, type Source } from "../model/model-sources.ts"
import { back, type GitOp, playGit } from "../model/play-git.ts"
import type { ApiServer } from "./api-server.ts"
import { createNode, type Node } from "./node.ts"
import { createRandomWriters, type RandomWriters } from "./random-writers.ts"
import { checkSettled, checkUnchanged, settle } from "./settle.ts"
import { type Site, withSite } from "./site.ts"
import { perturbAgent, perturbEvent, pick, type Weather } from "./weather.ts"
import { reconcileText } from "./writer.ts"

const STEPS = 16
const WRITERS = 2
/** More than the grace of garbage. */
const NIGHT_MS = 2 * 3_600_000
const GRACE_MS = 3_600_000
const AGENT_RATES = [0, 0.05, 0.2] as const

/** Two writers, operators, garbage collection and a node, for as long as a play lasts. */
interface Play {
  site: Site
  seed: number
  random(): number
  writers: RandomWriters
  node: Node
  trace: string[]
}

/**
 * Plays things that happen, by a seed, with calls perturbed by chance; then nothing is perturbed any more, what was late
 * arrives, and all invariants are checked. Gives how often something was perturbed. Throws the first violation with what
 * had happened, since the same seed may order concurrent calls otherwise.
 */
export async function playRandom(server: ApiServer, seed: number): Promise<number> {
  return withSite(server, {}, async (site) => {
    const trace: string[] = []
    const play: Play = {
      site,
      seed,
      random: randomNumbers(seed),
      writers: createRandomWriters(site, seed, trace),
      node: createNode(site),
      trace,
    }
    try {
      await startAgent(play)
      for (let step = 0; step < STEPS && site.violations.length === 0; step++) await playStep(play)
      await end(play)
      if (site.violations.length > 0) throw site.violations[0]
    } catch (error) {
      throw new Error([`seed ${seed}: ${String(error)}`, ...trace, ...site.proxy.done].join("\n"), {
        cause: error,
      })
    } finally {
      await play.writers.calm()
      await play.node.stop()
    }
    return site.proxy.done.length
  })
}

const STEP_KINDS = [
  merge,
  merge,
  merge,
  run,
  run,
  run,
  runTogether,
  runTogether,
  goOn,
  goOn,
  night,
  operate,
  forget,
  startAgent,
] as const

async function playStep(play: Play): Promise<void> {
  play.site.simulation.now += 10
  await pick(STEP_KINDS, play.random())(play)
}

/** All becomes quiet while some processes are still paused; they go on last, and no process repairs what they do. */
async function end({ site, writers, node }: Play): Promise<void> {
  await settle(site, SOURCES)
  await writers.calm()
  await checkSettled(site, SOURCES)
  await settle(site, SOURCES)
  await checkSettled(site, SOURCES)
  await node.untilShown()
  await checkUnchanged(site, SOURCES)
}

async function merge({ site, random, trace }: Play): Promise<void> {
  const op = gitOp((most) => Math.floor(random() * most))
  trace.push(JSON.stringify(op))
  playGit(site.simulation, op)
  // What wakes lanes is not played here.
  site.simulation.deliveries = []
}

function gitOp(below: (most: number) => number): GitOp {
  const edits = [
    { path: below(9), content: below(6) - 2 },
    { path: below(9), content: below(6) - 2 },
  ]
  const choices: [GitOp, ...GitOp[]] = [
    { op: "commit", edits, rules: -1 },
    { op: "commit", edits, rules: -1 },
    { op: "commit", edits, rules: below(6) },
    { op: "revert", back: below(3) },
    { op: "foxtrot", back: below(3), edits },
    { op: "rename", path: below(9), to: below(4) },
    { op: "tool", content: below(4), rules: below(5) - 2 },
  ]
  return choices[below(choices.length)] ?? choices[0]
}

function run(play: Play): Promise<void> {
  return runOne(play, Math.floor(play.random() * WRITERS), sourceOf(play))
}

async function runTogether(play: Play): Promise<void> {
  const source = sourceOf(play)
  await Promise.all([runOne(play, 0, source), runOne(play, 1, source)])
}

function sourceOf({ random }: Play): Source {
  return random() < 0.25 ? "tools" : "release"
}

function runOne({ writers, random }: Play, number: number, source: Source): Promise<void> {
  const mode = random() < 0.25 ? "full" : "incremental"
  return writers.work(number, `${mode} ${source}`, async (writer) =>
    reconcileText(await writer.reconcile(source, mode)),
  )
}

async function goOn({ writers, trace }: Play): Promise<void> {
  trace.push("what was paused goes on")
  await writers.goOn()
}

/** Hours pass, and garbage is collected. */
async function night({ site, writers, random }: Play): Promise<void> {
  site.simulation.now += NIGHT_MS
  await writers.work(Math.floor(random() * WRITERS), "garbage", async (writer) => {
    const { kube, clock } = writer.ports("release")
    const ports = { kube, clock, namespace: OWN_NAMESPACE, grace: GRACE_MS }
    const { marked, deleted, skipped } = await collectGarbage(ports, writer.signal)
    return skipped ?? `${marked} marked, ${deleted} deleted`
  })
}

async function operate(play: Play): Promise<void> {
  const { site, writers, random } = play
  const source = sourceOf(play)
  const commit = back(site.simulation.repositories[source], Math.floor(random() * 3))
  const hold = { commit, by: "proxy", reason: "play", until: null }
  const name = pick(["hold", "release", "rewind", "approve"] as const, random())
  await writers.command(`${name} ${source} ${commit}`, async (writer) => {
    const ports = { ...writer.ports(source), namespace: OWN_NAMESPACE, source }
    if (name === "hold") await holdSource(ports, hold, writer.signal)
    if (name === "rewind") await rewindSource(ports, hold, writer.signal)
    if (name === "release") await releaseSource(ports, writer.signal)
    if (name === "approve") await approveCommit(ports, commit, writer.signal)
    return "done"
  })
}

async function forget({ writers, random, trace }: Play): Promise<void> {
  trace.push("a writer starts again")
  writers.forget(Math.floor(random() * WRITERS))
}

async function startAgent({ seed, node, random, trace }: Play): Promise<void> {
  trace.push("the agent starts")
  const weather: Weather = {
    name: `${seed} agent ${trace.length}`,
    rate: pick(AGENT_RATES, random()),
    behind: 0,
    later: undefined,
  }
  await node.start({
    perturb: (call) => perturbAgent(weather, call),
    perturbEvent: (event) => perturbEvent(weather, event),
  })
}
