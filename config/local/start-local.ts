import { randomBytes } from "node:crypto"
import { rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import {
  type EmbeddedKube,
  startEmbeddedKube,
} from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { freePort } from "@headrace/config/local/free-port"
import { startLocalRedis } from "@headrace/config/local/redis-server"
import { HeadraceError, hasCode, restated } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { type ChildProgram, startChildProgram } from "./child-program.ts"
import { type LocalSource, localAgentSettings, localOperatorSettings, SOURCE } from "./local-settings.ts"
import { rulesClusters } from "./rules-clusters.ts"
import type { Hook } from "./signed-webhook.ts"
import { temporaryFolder } from "./temporary-folder.ts"
import { waitUntil } from "./wait-until.ts"

/** How long the first projection may take before we say that something is wrong. */
const FIRST_PROJECTION_MS = 120_000
/** A laptop that is busy with something else takes a minute to start a program. */
const START_MS = 120_000

export interface LocalOptions extends LocalSource {
  /** Folder that gets CLUSTER/NAMESPACE/CONFIGMAP/KEY. */
  target: string
  /** Port of the first plugin's webhook endpoint; 0 picks one. */
  port: number
  /** How many plugins work side by side. */
  plugins?: number
  /** Folder for settings, mirrors and logs, which stays; absent: one that close() removes. */
  stateFolder?: string
  signal?: AbortSignal
}

/** One cluster of a local pipeline: its API server, and the agent that projects it. */
export interface LocalCluster {
  name: string
  kube: EmbeddedKube
  kubeconfigFile: string
  /** Folder of its projections, NAMESPACE/CONFIGMAP beneath. */
  folder: string
  agent: ChildProgram
  agentUrl: string
}

export interface LocalPipeline {
  /** The webhook endpoint of each plugin. */
  hooks: readonly Hook[]
  plugins: readonly ChildProgram[]
  clusters: ReadonlyMap<string, LocalCluster>
  redisUrl: string
  /** The settings that plugin and bootstrapper read. */
  operatorSettingsFile: string
  /** Holds settings, mirrors and logs. */
  stateFolder: string
  /**
   * Starts an API server and an agent for every cluster that the rules at the branch's tip name and that has none;
   * the plugins notice the changed settings by themselves.
   */
  addNewClusters(): Promise<void>
  /** Resolves when every agent shows its cluster's record. */
  waitForProjection(): Promise<void>
  close(): Promise<void>
}

/**
 * The whole of Headrace on loopback: redis-server (or REDIS_URL), an embedded API server and an agent for
 * each cluster that the rules name, and the plugin. The programs are the real ones, as child processes.
 */
export async function startLocal(options: LocalOptions): Promise<LocalPipeline> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await assemble(options, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function assemble(
  options: LocalOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<LocalPipeline> {
  const stateFolder = options.stateFolder ?? folderUntilClosed(closers)
  const logs = join(stateFolder, "logs")
  await makeFolder(logs)

  const mirror = await openMirror({
    name: SOURCE,
    url: options.repo,
    branch: options.branch,
    folder: join(stateFolder, "rules-mirror"),
    log: createLog("up", { level: "silent" }),
  })
  closers.push(() => mirror.close())

  const redisUrl = process.env.REDIS_URL || (await ownRedis(closers))
  const redisUrlFile = join(stateFolder, "redis-url")
  await writeFile(redisUrlFile, redisUrl, { mode: 0o600 })
  const secretFile = join(stateFolder, "webhook-secret")
  const secret = randomBytes(24).toString("hex")
  await writeFile(secretFile, secret, { mode: 0o600 })
  const operatorSettingsFile = join(stateFolder, "headrace.yaml")
  const clusters = new Map<string, LocalCluster>()
  const plugins: ChildProgram[] = []

  const pluginCount = options.plugins ?? 1
  const pluginSettings = (index: number) => join(stateFolder, `plugin-${index}.yaml`)

  /** Every program has mirrors of its own. */
  async function writeSettings(file: string, mirrors: string): Promise<void> {
    const kubeconfigs = new Map([...clusters].map(([name, cluster]) => [name, cluster.kubeconfigFile]))
    const files = { secret: secretFile, redisUrl: redisUrlFile, mirrors: join(stateFolder, mirrors) }
    await writeFile(file, localOperatorSettings(options, kubeconfigs, files))
  }

  async function addNewClusters(): Promise<void> {
    const names = (await rulesClusters(mirror, options)).filter((name) => !clusters.has(name))
    if (names.length === 0) return
    for (const name of names) clusters.set(name, await startCluster(name, options, stateFolder, closers))
    await writeSettings(operatorSettingsFile, "mirrors")
    for (let index = 0; index < pluginCount; index++)
      await writeSettings(pluginSettings(index), `mirrors-${index}`)
  }
  await addNewClusters().catch(atTheStart)

  const hooks: Hook[] = []
  // The plugins stop first: they are closed last-in, first-out.
  for (let index = 0; index < pluginCount; index++) {
    const port = index === 0 && options.port > 0 ? options.port : await freePort()
    const listen = `127.0.0.1:${port}`
    const plugin = startChildProgram({
      name: `plugin-${index}`,
      program: "plugin",
      args: ["--config", pluginSettings(index), "--listen", listen],
      env: { REDIS_URL: redisUrl },
      logFile: join(logs, `plugin-${index}.log`),
    })
    plugins.push(plugin)
    closers.push(() => plugin.stop())
    hooks.push({
      url: `http://${listen}/hook`,
      secret,
      repository: options.repository,
      branch: options.branch,
    })
    await waitUntil(`${plugin.name} listening on ${listen}`, () => answers(`http://${listen}/healthz`), {
      limitMs: START_MS,
      signal: options.signal,
    }).catch(withLog(plugin))
  }

  async function waitForProjection(): Promise<void> {
    for (const cluster of clusters.values()) {
      await waitUntil(
        `the first projection of cluster ${cluster.name} (logs in ${logs})`,
        () => answers(`${cluster.agentUrl}/readyz`),
        { limitMs: FIRST_PROJECTION_MS, signal: options.signal },
      ).catch(withLog(cluster.agent))
    }
  }

  return {
    hooks,
    plugins,
    clusters,
    redisUrl,
    operatorSettingsFile,
    stateFolder,
    addNewClusters,
    waitForProjection,
    close,
  }
}

/** Nothing is tried again where nothing has come up yet. */
function atTheStart(error: unknown): never {
  if (!hasCode(error, "git/unreachable") && !hasCode(error, "git/timeout")) throw error
  throw restated(error, { hint: "Check the address that --repo gives and the network, and start it again." })
}

async function startCluster(
  name: string,
  options: LocalOptions,
  stateFolder: string,
  closers: (() => Promise<unknown>)[],
): Promise<LocalCluster> {
  const kube = await startEmbeddedKube({ token: randomBytes(16).toString("hex"), createNamespaces: true })
  closers.push(() => kube.close())
  const kubeconfigFile = join(stateFolder, `kubeconfig-${name}`)
  await writeFile(kubeconfigFile, kube.kubeconfig, { mode: 0o600 })
  const folder = resolve(options.target, name)
  await makeFolder(folder)
  const listen = `127.0.0.1:${await freePort()}`
  const settingsFile = join(stateFolder, `agent-${name}.yaml`)
  await writeFile(settingsFile, localAgentSettings(kubeconfigFile, folder, listen))
  const agent = startChildProgram({
    name: `agent-${name}`,
    program: "agent",
    args: ["--config", settingsFile],
    logFile: join(stateFolder, "logs", `agent-${name}.log`),
  })
  closers.push(() => agent.stop())
  return { name, kube, kubeconfigFile, folder, agent, agentUrl: `http://${listen}` }
}

function folderUntilClosed(closers: (() => Promise<unknown>)[]): string {
  const folder = temporaryFolder("headrace-")
  closers.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function ownRedis(closers: (() => Promise<unknown>)[]): Promise<string> {
  const redis = await startLocalRedis({})
  closers.push(() => redis.close())
  return redis.url
}

/** Rethrows with what the program said last, since its log goes away with the state folder. */
function withLog(program: ChildProgram): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof HeadraceError)) throw error
    throw new HeadraceError(
      error.code,
      `${error.message}; ${program.name} said last:\n${program.lastWords()}`,
    )
  }
}

/** True when the URL answers 200, else undefined, as waitUntil wants it. */
async function answers(url: string): Promise<true | undefined> {
  const response = await fetch(url).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.status === 200 ? true : undefined
}
