import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import { localOperatorSettings } from "@headrace/config/local/local-settings"
import { startLocalRedis } from "@headrace/config/local/redis-server"
import { type Hook, push, sendWebhook } from "@headrace/config/local/signed-webhook"
import { until } from "../harness/until.ts"
import { withRepo } from "../harness/with-repo.ts"
import type { FleetMessage } from "./clusters/kube-fleet.ts"
import { startMeasured } from "./memory/measured-program.ts"
import { quantile } from "./quantile.ts"

const CLUSTERS = Number(process.env.HEADRACE_BENCH_CLUSTERS ?? 100)
const MERGES = 10
const FILES = 50
const LIMIT_MS = 300_000
const REPOSITORY = "example/bench"
const ALL = `${CLUSTERS} clusters, one more dead: tip to all swapped, p99 s`

export const goals = { [ALL]: 5 }

/**
 * One plugin with 100 clusters, each with an API server of its own (all of them in one process), and one more whose server
 * refuses every connection: from a webhook until the last record shows the tip. HEADRACE_BENCH_CLUSTERS: how many.
 */
export async function run(): Promise<Record<string, number>> {
  return withRepo(async (repo) => {
    const fleet = fork(join(import.meta.dirname, "clusters/kube-fleet.ts"), [String(CLUSTERS)], {
      execArgv: ["--conditions=source", "--no-warnings"],
    })
    const swaps = followSwaps(fleet)
    const redis = await startLocalRedis({})
    const names = Array.from({ length: CLUSTERS }, (_, at) => `c${at}`)
    await repo.commit({ "rules.yaml": rulesOf([...names, "dead"]), ...filesOf(0) })
    const secretFile = join(repo.scratch, "secret")
    await writeFile(secretFile, "of the bench")
    const [up] = (await once(fleet, "message")) as [Extract<FleetMessage, { kind: "up" }>]
    const kubeconfigs = new Map<string, string>()
    const dead = embeddedKubeconfig(`http://127.0.0.1:${await freePort()}`, "none")
    for (const [at, text] of [...up.kubeconfigs, dead].entries()) {
      const file = join(repo.scratch, `kubeconfig-${at}`)
      await writeFile(file, text)
      kubeconfigs.set(names[at] ?? "dead", file)
    }
    const config = join(repo.scratch, "headrace.json")
    const source = {
      repo: repo.folder,
      branch: repo.branch,
      rules: "rules.yaml",
      repository: REPOSITORY,
      pollSeconds: 600,
    }
    const paths = { secret: secretFile, mirrors: join(repo.scratch, "mirrors") }
    await writeFile(config, localOperatorSettings(source, kubeconfigs, paths))
    const listen = `127.0.0.1:${await freePort()}`
    const plugin = startMeasured("plugin", ["--config", config, "--listen", listen], { REDIS_URL: redis.url })
    const hook = {
      url: `http://${listen}/hook`,
      secret: "of the bench",
      repository: REPOSITORY,
      branch: repo.branch,
    }
    try {
      await until(async () => swaps.shown(await repo.tip()).length === CLUSTERS, LIMIT_MS)
      return {
        ...(await measureMerges(repo, hook, swaps)),
        ...plugin.memory(`plugin with ${CLUSTERS} clusters`),
      }
    } finally {
      await plugin.end()
      await redis.close()
      fleet.disconnect()
    }
  })
}

async function measureMerges(
  repo: Parameters<Parameters<typeof withRepo>[0]>[0],
  hook: Hook,
  swaps: Swaps,
): Promise<Record<string, number>> {
  const last: number[] = []
  const each: number[] = []
  for (let merge = 1; merge <= MERGES; merge++) {
    const before = await repo.tip()
    const commit = await repo.commit(filesOf(merge))
    const sent = Date.now()
    const status = await sendWebhook(hook, "push", push(hook, before, commit))
    if (status >= 300) throw new Error(`the plugin answered ${status}`)
    await until(() => swaps.shown(commit).length === CLUSTERS, LIMIT_MS)
    const times = swaps.shown(commit).map((at) => (at - sent) / 1000)
    last.push(Math.max(...times))
    each.push(...times)
  }
  return {
    [ALL]: quantile(last, 0.99),
    "tip to all swapped, p50 s": quantile(last, 0.5),
    "tip to one of them swapped, p50 s": quantile(each, 0.5),
  }
}

interface Swaps {
  /** When each cluster's record came to show this commit. */
  shown(commit: string): number[]
}

function followSwaps(fleet: ChildProcess): Swaps {
  const times = new Map<string, number[]>()
  fleet.on("message", (message: FleetMessage) => {
    if (message.kind !== "swapped") return
    times.set(message.commit, [...(times.get(message.commit) ?? []), message.at])
  })
  return { shown: (commit) => times.get(commit) ?? [] }
}

function rulesOf(clusters: readonly string[]): string {
  const places = clusters.map((cluster) => `${cluster}: [default]`).join(", ")
  return `config_updater:\n  maps:\n    "jobs/*.yaml": {name: jobs, clusters: {${places}}}\n`
}

/** The first of them changes with each merge. */
function filesOf(merge: number): Record<string, string> {
  const count = merge === 0 ? FILES : 1
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`jobs/${at}.yaml`, `job: ${at}\nmerge: ${merge}\n`.repeat(20)]),
  )
}
