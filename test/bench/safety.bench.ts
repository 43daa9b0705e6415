import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { freePort } from "@headrace/config/local/free-port"
import { localAgentSettings, localOperatorSettings, SOURCE } from "@headrace/config/local/local-settings"
import { startLocalRedis } from "@headrace/config/local/redis-server"
import { createSampleRepository, SAMPLE } from "@headrace/config/local/sample-repository"
import { type Hook, mergedPullRequest, sendWebhook } from "@headrace/config/local/signed-webhook"
import { generateKeyFiles } from "@headrace/shared/trust/key-file"
import { realKubeMissing } from "../harness/real-kube.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { startApiServer } from "./api-server.ts"
import { startMeasured } from "./memory/measured-program.ts"
import { quantile } from "./quantile.ts"

const WARM_UP = 5
const MERGES = Number(process.env.HEADRACE_SAFETY_MERGES ?? 50)
const LIMIT_MS = 120_000
const SECRET = "of the bench"
const NAMESPACES = ["plain", "safe", "headrace-plain", "headrace-safe", "headrace"]

export const goals = { "safety costs more, p50 ms": 10 }

/** A plugin and an agent of one source, with a namespace of their own in the API server that others share. */
interface Site {
  /** Merges a change; gives the milliseconds from its webhook until the disk shows it. */
  merge(number: number): Promise<number>
  end(): Promise<void>
}

/** Where a site lives. */
interface Place {
  folder: string
  kubeconfig: string
  redisUrl: string
  /** Of its targets; its records are in `headrace-NAMESPACE`. */
  namespace: string
  isSafe: boolean
}

/**
 * Webhook to disk on the real kube-apiserver where KUBEBUILDER_ASSETS names it, and on the embedded one elsewhere: as it
 * is, and with signed records, gates and the guard, in turns. HEADRACE_SAFETY_MERGES: how many of each.
 */
export async function run(): Promise<Record<string, number>> {
  process.stdout.write(`  ${realKubeMissing() ?? "against the real kube-apiserver"}\n`)
  return withFolder(async (folder) => {
    const server = await startApiServer(NAMESPACES)
    const redis = await startLocalRedis({})
    const sites: Site[] = []
    try {
      const shared = { kubeconfig: server.kubeconfigFile, redisUrl: redis.url }
      for (const isSafe of [false, true]) {
        const namespace = isSafe ? "safe" : "plain"
        const own = join(folder, namespace)
        await mkdir(own)
        sites.push(await startSite({ ...shared, folder: own, namespace, isSafe }))
      }
      return await measure(sites)
    } finally {
      for (const site of sites) await site.end()
      await redis.close()
      await server.close()
    }
  })
}

async function measure(sites: readonly Site[]): Promise<Record<string, number>> {
  const times = sites.map((): number[] => [])
  for (let merge = 1; merge <= WARM_UP + MERGES; merge++) {
    for (const [index, site] of sites.entries()) times[index]?.push(await site.merge(merge))
  }
  const [plain = [], safe = []] = times.map((all) => all.slice(WARM_UP))
  return {
    "webhook to published, p50 ms": quantile(plain, 0.5),
    "webhook to published, p99 ms": quantile(plain, 0.99),
    "the same, signed, gated and guarded, p50 ms": quantile(safe, 0.5),
    "the same, signed, gated and guarded, p99 ms": quantile(safe, 0.99),
    "safety costs more, p50 ms": quantile(safe, 0.5) - quantile(plain, 0.5),
  }
}

async function startSite(place: Place): Promise<Site> {
  const { folder, namespace, redisUrl } = place
  const repository = await createSampleRepository(join(folder, "repository"))
  const port = await freePort()
  const hook: Hook = {
    url: `http://127.0.0.1:${port}/hook`,
    secret: SECRET,
    repository: SAMPLE.repository,
    branch: SAMPLE.branch,
  }
  const settings = await writeSettings(place, repository.folder)
  const pluginArgs = ["--config", settings.operator, "--listen", `127.0.0.1:${port}`]
  const plugin = startMeasured("plugin", pluginArgs, { REDIS_URL: redisUrl })
  const agent = startMeasured("agent", ["--config", settings.agent])
  const { configMap, key } = SAMPLE.changed
  const shown = join(folder, "node", namespace, configMap, key)

  async function shows(text: string): Promise<void> {
    const end = performance.now() + LIMIT_MS
    while (!(await readFile(shown, "utf8").catch(() => "")).includes(text)) {
      if (performance.now() > end) throw new Error(`${shown} does not show ${text}: ${lastLines()}`)
      await delay(1)
    }
  }
  function lastLines(): string {
    return [...plugin.log().slice(-5), ...agent.log().slice(-5)]
      .map((line) => JSON.stringify(line))
      .join("\n")
  }
  await until(
    () => plugin.log().some(({ msg, result }) => msg === "reconciled" && result === "applied"),
    LIMIT_MS,
  )
  await shows("interval: 24h")
  return {
    async merge(number) {
      const commit = await repository.mergeChange(number, `${number}m`)
      const sent = performance.now()
      const status = await sendWebhook(hook, "pull_request", mergedPullRequest(hook, commit, number))
      if (status >= 300) throw new Error(`the plugin answered ${status}`)
      await shows(`interval: ${number}m`)
      return performance.now() - sent
    },
    async end() {
      await agent.end()
      await plugin.end()
    },
  }
}

/** Writes the settings of both programs; a safe site's with a key, gates, and the guard as it is by default. */
async function writeSettings(
  { folder, kubeconfig, namespace, isSafe }: Place,
  repo: string,
): Promise<{ operator: string; agent: string }> {
  const inFolder = (name: string) => join(folder, name)
  const [operator, agent] = [inFolder("headrace.yaml"), inFolder("agent.yaml")]
  const [secret, key] = [inFolder("secret"), inFolder("key")]
  const { privateText, publicText } = generateKeyFiles(undefined)
  await writeFile(secret, SECRET)
  await writeFile(key, privateText, { mode: 0o600 })
  await writeFile(`${key}.pub`, publicText)
  const { branch, rules, repository } = SAMPLE
  const source = { repo, branch, rules, repository, pollSeconds: 600, guard: isSafe }
  const own = `headrace-${namespace}`
  const written = JSON.parse(
    localOperatorSettings(source, new Map([["default", kubeconfig]]), {
      secret,
      mirrors: join(folder, "mirrors"),
    }),
  )
  const { sources } = written
  const gates = {
    change: { targets: "50%", bytes: "x4", emptied: 5 },
    files: [
      { glob: "config/**/*.yaml", parse: "yaml" },
      { glob: "config/jobs/**", builtin: "prow-jobs" },
    ],
  }
  const operatorSettings = {
    ...written,
    namespace: own,
    redis: { prefix: namespace },
    defaults: { cluster: "default", namespace },
    ...(isSafe && {
      sources: { [SOURCE]: { ...sources[SOURCE], gates } },
      signing: { keyFile: key },
    }),
  }
  const agentSettings = {
    ...JSON.parse(localAgentSettings(kubeconfig, join(folder, "node"), "127.0.0.1:0")),
    record: `${own}/${SOURCE}`,
    ...(isSafe && { trust: { keys: [`${key}.pub`], clusters: ["default"] } }),
  }
  await writeFile(operator, JSON.stringify(operatorSettings))
  await writeFile(agent, JSON.stringify(agentSettings))
  return { operator, agent }
}
