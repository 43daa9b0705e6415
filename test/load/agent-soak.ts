import { readdirSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { procUsage } from "../harness/proc-usage.ts"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import {
  commitOf,
  NAMESPACE,
  revisionObjects,
  type TargetFiles,
  writeRevision,
} from "../harness/write-revision.ts"
import { flatness, type Sample, sampleLine } from "./soak-samples.ts"

/**
 * A real agent at one revision a second: `node --conditions=source test/load/agent-soak.ts [MINUTES]`. Prints a
 * line every half minute, and ends with 1 unless memory, handles, inodes and Lease writes stayed flat.
 */
const minutes = Number(process.argv[2] ?? 30)
const PROGRAM = join(import.meta.dirname, "../../agent/dist/main.js")
const FILES = 500
const EXTRA_FILES = 20
const REVISION_MS = 1000
const SAMPLE_EVERY = 30
/** Connections break, and history is forgotten, each so many revisions: an outage must not leave anything behind. */
const DROP_EVERY = 47
const FORGET_EVERY = 101
/** Store objects stay for so many revisions, as reconcile's garbage collection leaves them a while. */
const OBJECTS_KEPT = 30

const samples = await withFolder((folder) => withKube((kube) => soak(folder, kube)))
const verdicts = flatness(samples)
for (const { what, first, last, flat } of verdicts) {
  process.stdout.write(
    `${flat ? "flat" : "NOT FLAT"}: ${what}, ${first} in the first third, ${last} in the last\n`,
  )
}
process.exit(verdicts.every(({ flat }) => flat) ? 0 : 1)

async function soak(folder: string, kube: TestKube): Promise<Sample[]> {
  const agent = await startAgent(folder, kube)
  const samples: Sample[] = []
  const names: string[][] = []
  try {
    const revisions = Math.round((minutes * 60_000) / REVISION_MS)
    for (let seq = 1; seq <= revisions; seq++) {
      const due = Date.now() + REVISION_MS
      names.push(await write(kube, seq))
      if (names.length > OBJECTS_KEPT) removeOutdated(kube, names)
      if (seq % DROP_EVERY === 0) kube.dropConnections()
      if (seq % FORGET_EVERY === 0) kube.store.forgetHistory()
      if (seq % SAMPLE_EVERY === 0) {
        samples.push(sample(seq, agent, folder, kube))
        process.stdout.write(`${sampleLine(samples)}\n`)
      }
      await delay(Math.max(0, due - Date.now()))
    }
    await until(() => shows(agent, "links", revisions) && shows(agent, "exchange", revisions))
    return samples
  } finally {
    agent.child.kill("SIGTERM")
    await agent.ended
  }
}

async function startAgent(folder: string, { kubeconfigFile }: TestKube): Promise<MarkedRun> {
  const keep = { revisions: 3, age: "5s" }
  const from = [{ configMap: "ci/jobs" }]
  const settings = {
    version: 1,
    record: "headrace/release",
    kubeconfig: kubeconfigFile,
    listen: "127.0.0.1:0",
    report: { node: "soak" },
    projections: {
      links: { path: join(folder, "links"), keep, from, notify: [{ touch: join(folder, "touched") }] },
      exchange: { path: join(folder, "exchange"), layout: "exchange", keep, from },
    },
  }
  const config = join(folder, "agent.yaml")
  await writeFile(config, JSON.stringify(settings))
  const agent = runMarked([PROGRAM, "--config", config])
  await until(() => agent.output().includes("agent started"))
  return agent
}

/** One file changes in each revision; beside it some come and go. Gives the names of the store's objects. */
async function write(kube: TestKube, seq: number): Promise<string[]> {
  const files: TargetFiles = {}
  for (let at = 0; at < FILES; at++) files[`d${at % 10}/file-${at}.yaml`] = `${at}: `.repeat(300)
  for (let at = 0; at < seq % EXTRA_FILES; at++) files[`extra/${at}.yaml`] = "comes and goes"
  files[`d0/file-${(seq % (FILES / 10)) * 10}.yaml`] = `changed in revision ${seq}`
  const revision = { seq, targets: { "ci/jobs": files } }
  await writeRevision(inProcessClient(kube.store), revision)
  return revisionObjects(revision).store.map(({ metadata }) => metadata.name)
}

function removeOutdated(kube: TestKube, names: string[][]): void {
  const outdated = names.shift() ?? []
  const needed = new Set(names.flat())
  for (const name of outdated) if (!needed.has(name)) kube.store.remove(CONFIG_MAPS, NAMESPACE, name)
}

function sample(seq: number, agent: MarkedRun, folder: string, kube: TestKube): Sample {
  return {
    seq,
    ...procUsage(agent.child.pid),
    inodes: namesBelow(folder),
    leaseWrites: kube.requests.get("update", "leases") + kube.requests.get("create", "leases"),
    published: agent.output().split('"msg":"revision published"').length - 1,
  }
}

function shows(agent: MarkedRun, projection: string, seq: number): boolean {
  return agent
    .output()
    .split("\n")
    .some((line) => line.includes(`"projection":"${projection}"`) && line.includes(commitOf(seq)))
}

/** Folders that are removed while we look count for nothing. */
function namesBelow(folder: string): number {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    const below = entries.map((entry) => (entry.isDirectory() ? namesBelow(join(folder, entry.name)) : 0))
    return below.reduce((sum, count) => sum + count, entries.length)
  } catch {
    return 0
  }
}
