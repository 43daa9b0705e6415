import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { DEFAULTS, localOperatorSettings, SOURCE } from "@headrace/config/local/local-settings"
import { systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { collectFleet } from "@headrace/shared/status/collect-fleet"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { nodeLease } from "../harness/post-lease.ts"
import { withRepo } from "../harness/with-repo.ts"
import { quantile } from "./quantile.ts"

const NODES = Number(process.env.HEADRACE_BENCH_NODES ?? 5000)
const ROUNDS = 5
const STATUS = `status over ${NODES.toLocaleString("en")} Leases, p50 s`

export const goals = { [STATUS]: 1 }

/** What `status` reads and judges, where so many nodes report: record, branch and a Lease of each. */
export async function run(): Promise<Record<string, number>> {
  return withRepo(async (repo) => {
    await repo.commit({ "rules.yaml": `config_updater: {maps: {"a/*": {name: a}}}\n`, "a/x": "1" })
    const kube = await startEmbeddedKube({ createNamespaces: true })
    const kubeconfig = join(repo.scratch, "kubeconfig")
    await writeFile(kubeconfig, kube.kubeconfig)
    const file = join(repo.scratch, "headrace.json")
    const source = {
      repo: repo.folder,
      branch: repo.branch,
      rules: "rules.yaml",
      repository: "a/b",
      pollSeconds: 60,
    }
    const paths = { secret: join(repo.scratch, "secret"), mirrors: join(repo.scratch, "mirrors") }
    await writeFile(file, localOperatorSettings(source, new Map([[DEFAULTS.cluster, kubeconfig]]), paths))
    const settings = await loadOperatorSettings(file)
    const opened = await openReconciler(settings, createLog("bench", { level: "silent" }))
    try {
      const { signal } = new AbortController()
      const { commit, token } = await opened.run(DEFAULTS.cluster, SOURCE, "incremental", signal)
      await postLeases(kube, commit ?? "", token)
      const times: number[] = []
      let live = 0
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now()
        live = await countLive(opened, settings, signal)
        times.push((performance.now() - start) / 1000)
      }
      if (live !== NODES) throw new Error(`status counts ${live} live nodes of ${NODES}`)
      return { [STATUS]: quantile(times, 0.5) }
    } finally {
      await opened.close()
      await kube.close()
    }
  })
}

async function countLive(
  opened: Awaited<ReturnType<typeof openReconciler>>,
  settings: Awaited<ReturnType<typeof loadOperatorSettings>>,
  signal: AbortSignal,
): Promise<number> {
  const { kube, repository, orphans } = opened
  const ports = { settings, kube, repository, orphans, memory: createReconcileMemory(), clock: systemClock }
  const clusterSources = [{ cluster: DEFAULTS.cluster, source: SOURCE }]
  const facts = await collectFleet(ports, { clusterSources, fetch: true, limit: 30_000 }, signal)
  const context = {
    config: null,
    bootstrapper: ["headrace-bootstrapper"],
    sources: {},
    severalClusters: false,
    severalSources: false,
    programsNamespace: settings.programsNamespace,
    clusters: settings.clusters,
  }
  return judgeFleet(facts, context).clusterSources[0]?.nodes?.live ?? 0
}

async function postLeases(
  { url, token: bearer }: { url: string; token: string },
  commit: string,
  token: { epoch: number; seq: number },
): Promise<void> {
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" }
  for (let node = 0; node < NODES; node++) {
    const lease = nodeLease(`node-${node}`, commit, token)
    const report = lease.metadata.annotations["headrace.dev/report"].replace(
      "headrace/release",
      `headrace/${SOURCE}`,
    )
    const body = JSON.stringify({
      ...lease,
      metadata: { ...lease.metadata, annotations: { "headrace.dev/report": report } },
    })
    const answer = await fetch(`${url}/apis/coordination.k8s.io/v1/namespaces/headrace/leases`, {
      method: "POST",
      headers,
      body,
    })
    await answer.arrayBuffer()
    if (answer.status !== 201) throw new Error(`a Lease was answered with ${answer.status}`)
  }
}
