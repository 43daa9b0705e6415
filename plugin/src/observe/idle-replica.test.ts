import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { it } from "@headrace/test/harness/fixtures"
import { runBootstrapper } from "@headrace/test/harness/run-bootstrapper"
import { expect } from "vitest"
import { outcomeSeals } from "../deliveries/outcome-seals.ts"
import { watchRecords } from "../triggers/watch-records.ts"
import { pluginReconciler } from "../work/plugin-reconciler.ts"
import { workLanes } from "../work/work-lanes.ts"
import { createPluginMetrics } from "./plugin-metrics.ts"
import { refreshLaneGauges } from "./refresh-lane-gauges.ts"

const log = createLog("test", { level: "silent" })
const CLUSTERS = ["east"]
const SOURCES = ["release"]
const PLACE = 'cluster="east",source="release"'
const PATIENT = { timeout: 60_000 }

/** One replica: its own mirrors, connections and metrics. */
async function openReplica(settings: OperatorSettings) {
  const opened = await openReconciler(settings, log)
  const reconciler = pluginReconciler(opened, settings)
  return { opened, reconciler, metrics: createPluginMetrics({ sizes: reconciler.sizes }) }
}

/** The metrics of a replica that polls and reads records, and never gets to work a lane. */
async function watchIdle(settings: OperatorSettings, lanes: Lanes, signal: AbortSignal) {
  const { opened, reconciler, metrics } = await openReplica(settings)
  const places = { clusters: CLUSTERS, sources: SOURCES }
  const watch = watchRecords(
    { lanes, reconciler, ...places, records: metrics.records, interval: 20, log },
    signal,
  )
  return {
    poll: () => reconciler.tip("release", signal),
    async text() {
      await refreshLaneGauges(lanes, CLUSTERS, SOURCES, metrics)
      return metrics.registry.metrics()
    },
    async end() {
      await watch
      await opened.close()
    },
  }
}

function rules(...names: string[]): string {
  const maps = names.map((name) => `    '${name}/*': {name: ${name}, clusters: {east: [ci]}}\n`)
  return `config_updater:\n  maps:\n${maps.join("")}`
}

it("the metrics of a replica that is idle follow what the other one does", async ({
  redis,
  kube,
  repo,
  folder,
}) => {
  const written = (mirrors: string) => ({
    version: 1,
    sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
    clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
    guard: { deletedKeys: "60%", deletedConfigMaps: "60%", window: "0s", atLeast: 0 },
    mirrors: join(folder, mirrors),
  })
  const settingsOf = (mirrors: string) => OperatorSettings.parse(written(mirrors))
  const config = join(folder, "headrace.yaml")
  await writeFile(config, JSON.stringify(written("operator")))
  const say = async (...words: string[]) =>
    expect(await runBootstrapper([...words, "--config", config])).toMatchObject({ code: 0 })
  const stop = new AbortController()
  const lanes = await openLanes({ redis: redis.url, log })
  const busy = await openReplica(settingsOf("busy"))
  const places = { clusters: CLUSTERS, sources: SOURCES }
  const observed = { metrics: busy.metrics, traces: undefined, seals: outcomeSeals(undefined) }
  const workers = workLanes(lanes, places, busy.reconciler, observed, async () => undefined, log)
  const idleLanes = await openLanes({ redis: redis.url, log })
  const idle = await watchIdle(settingsOf("idle"), idleLanes, stop.signal)
  const shows = (line: string) => expect.poll(idle.text, PATIENT).toContain(`${line}\n`)
  const wake = (mode: "full" | "incremental") =>
    wakeLanes(lanes, CLUSTERS, SOURCES, { mode, reason: "operator" })
  try {
    await repo.commit({ "rules.yaml": rules("kept", "old"), "kept/a": "1", "kept/b": "1", "old/a": "1" })
    await wake("full")
    await idle.poll()
    await shows(`headrace_commits_behind{${PLACE}} 0`)
    await shows(`headrace_orphans{${PLACE}} 0`)
    await shows(`headrace_lane_late{${PLACE}} 0`)
    expect(await idle.text()).toMatch(new RegExp(`last_success_timestamp_seconds{${PLACE}} \\d`))

    await shows(`headrace_held{${PLACE}} 0`)
    await say("hold", "--reason", "incident 42")
    await shows(`headrace_held{${PLACE}} 1`)
    await say("release")
    await shows(`headrace_held{${PLACE}} 0`)

    await repo.commit({ "kept/no key": "x" })
    await idle.poll()
    await shows(`headrace_commits_behind{${PLACE}} 1`)
    await wake("full")
    await shows(`headrace_commits_behind{${PLACE}} 0`)
    await shows(`headrace_failed_targets{${PLACE}} 1`)

    await repo.commit({ "rules.yaml": rules("kept"), "kept/no key": null })
    await wake("full")
    await shows(`headrace_orphans{${PLACE}} 1`)
    await shows(`headrace_failed_targets{${PLACE}} 0`)

    await repo.commit({ "kept/a": null, "kept/b": null, "kept/c": "of its own" })
    await wake("full")
    await shows(`headrace_stopped{${PLACE},code="guard/deleted-keys"} 1`)
    await repo.commit({ "kept/a": "1", "kept/b": "1" })
    await wake("full")
    await expect.poll(idle.text, PATIENT).not.toContain("headrace_stopped{")
  } finally {
    stop.abort()
    await workers.close()
    await idle.end()
    await busy.opened.close()
    await Promise.all([lanes.close(), idleLanes.close()])
  }
})
