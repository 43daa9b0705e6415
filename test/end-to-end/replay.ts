import { spawn } from "node:child_process"
import { programCommand } from "@headrace/config/local/child-program"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { OWN_NAMESPACE, SOURCE } from "@headrace/config/local/local-settings"
import { mergedPullRequest, sendWebhook } from "@headrace/config/local/signed-webhook"
import type { LocalPipeline } from "@headrace/config/local/start-local"
import { waitUntil } from "@headrace/config/local/wait-until"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { readRecord } from "@headrace/shared/record/record-config-map"
import type { DeliverySchedule } from "../harness/delivery-schedule.ts"
import { type ReaderReport, startReader } from "../harness/start-reader.ts"
import type { RealHistory } from "../harness/with-real-history.ts"

/** Two merges of three wait for their record and a little more, so that readers see most revisions on any machine. */
const AT_MOST_MS = 1500
const LOOK_MS = 80
/** The third comes while the one before it is still being worked on. */
const AT_ONCE_MS = 20
/** Workers are killed in mid-reconcile at every so many merges. */
const KILL_EVERY = 40
/** So many merges after a kill, they wait until the lanes have recovered, or most revisions would go unseen. */
const MERGES_WHILE_DOWN = 8
const SETTLE_MS = 60_000

export interface ReplayReport {
  reader: ReaderReport
  /** Distinct (projection, revision) that the reader saw. */
  revisions: number
  killed: number
  bootstraps: number
}

/**
 * Moves the branch through real merges and delivers their webhooks by the schedule, with a reader looking all
 * the while; ends when every cluster's record is at the last merge and every agent shows it.
 */
export async function replay(
  pipeline: LocalPipeline,
  history: RealHistory,
  schedule: DeliverySchedule,
  options: { killWorkers: boolean },
): Promise<ReplayReport> {
  const reader = startReader([...pipeline.clusters.values()].map((cluster) => cluster.folder))
  const records = await openRecords(pipeline)
  const harm = { killed: 0, bootstraps: 0, bootstrap: Promise.resolve() }
  const last = history.merges[schedule.steps.length - 1]?.sha ?? ""
  let report: ReaderReport
  try {
    for (const step of schedule.steps) {
      await history.moveTo(history.merges[step.merge]?.sha ?? "")
      for (const merge of step.deliver) await deliver(pipeline, history, merge)
      if (options.killWorkers) await doHarm(pipeline, records, step.merge, harm)
      await pause(records, step.merge, history.merges[step.merge]?.sha ?? "")
    }
    await harm.bootstrap
    await settle(pipeline, records, last)
  } finally {
    for (const record of records) record.close()
    report = await reader.stop()
  }
  const revisions = new Set(report.seen.map(({ projection, revision }) => `${projection} ${revision}`)).size
  return { reader: report, revisions, killed: harm.killed, bootstraps: harm.bootstraps }
}

interface Harm {
  killed: number
  bootstraps: number
  /** The newest bootstrapper, running or done. */
  bootstrap: Promise<void>
}

/** At every KILL_EVERY-th merge: kills the workers in mid-reconcile and starts a bootstrapper at the same time. */
async function doHarm(pipeline: LocalPipeline, records: Records, merge: number, harm: Harm): Promise<void> {
  if (merge % KILL_EVERY === MERGES_WHILE_DOWN) await harm.bootstrap
  if (merge % KILL_EVERY !== KILL_EVERY - 1) return
  if (await killInMidReconcile(pipeline, records)) harm.killed++
  harm.bootstrap = runBootstrapper(pipeline)
  harm.bootstraps++
}

type Records = (ConfigMapReader & { close(): void })[]

function openRecords(pipeline: LocalPipeline): Promise<Records> {
  const log = createLog("test", { level: "silent" })
  return Promise.all(
    [...pipeline.clusters.values()].map((cluster) =>
      openLightClient({ kubeconfig: cluster.kubeconfigFile, log }),
    ),
  )
}

async function deliver(pipeline: LocalPipeline, history: RealHistory, index: number): Promise<void> {
  const merge = history.merges[index]
  const hook = pipeline.hooks[index % pipeline.hooks.length]
  if (!merge || !hook) throw new Error(`no merge ${index}`)
  const delivery = `00000000-0000-4000-8000-${String(merge.number).padStart(12, "0")}`
  // A plugin that was just killed cannot answer: that delivery is lost, as GitHub would lose it.
  await sendWebhook(hook, "pull_request", mergedPullRequest(hook, merge.sha, merge.number), delivery).catch(
    () => undefined,
  )
}

/** Waits until a record shows an open intent, then kills every worker; the intent names what may be half done. */
async function killInMidReconcile(pipeline: LocalPipeline, records: Records): Promise<boolean> {
  const caught = await waitUntil("an open intent", () => openIntent(records), {
    limitMs: 3000,
    everyMs: 1,
  }).catch(() => false)
  if (caught) for (const plugin of pipeline.plugins) plugin.signal("SIGKILL")
  return caught
}

async function openIntent(records: Records): Promise<true | undefined> {
  for (const cluster of records) {
    const record = await cluster.get(OWN_NAMESPACE, SOURCE)
    if (record && readRecord(record).intents.length > 0) return true
  }
  return undefined
}

function runBootstrapper(pipeline: LocalPipeline): Promise<void> {
  const args = [...programCommand("bootstrapper"), "apply", "--config", pipeline.operatorSettingsFile]
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, REDIS_URL: pipeline.redisUrl },
  })
  endChildWithProcess(child)
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`the bootstrapper ended with ${code}`)),
    )
  })
}

async function pause(records: Records, index: number, commit: string): Promise<void> {
  if (index % 3 === 2) return systemClock.sleep(AT_ONCE_MS)
  const recorded = () => atCommit(records, commit)
  await waitUntil("the record", recorded, { limitMs: AT_MOST_MS, everyMs: 20 }).catch(() => undefined)
  await systemClock.sleep(LOOK_MS)
}

/** True when every record names the commit, otherwise undefined. */
async function atCommit(records: Records, commit: string): Promise<true | undefined> {
  for (const cluster of records) {
    const record = await cluster.get(OWN_NAMESPACE, SOURCE)
    if (!record || readRecord(record).commit !== commit) return undefined
  }
  return true
}

async function settle(pipeline: LocalPipeline, records: Records, commit: string): Promise<void> {
  await waitUntil(`every record at ${commit}`, () => atCommit(records, commit), { limitMs: SETTLE_MS })
  await pipeline.waitForProjection()
}
