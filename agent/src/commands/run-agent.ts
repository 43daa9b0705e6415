import { resolve } from "node:path"
import { packageVersion } from "@headrace/shared/command-line/program"
import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText, HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { createLog } from "@headrace/shared/observe/log"
import { openTraces } from "@headrace/shared/observe/open-traces"
import { isCurrent } from "@headrace/shared/observe/ops-routes"
import { createProcessMetrics, type ProcessMetrics } from "@headrace/shared/observe/process-metrics"
import type { Traces } from "@headrace/shared/observe/traces"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { nextSettings } from "@headrace/shared/settings/next-settings"
import { type ConfineMode, confineProcess } from "../confine/confine-process.ts"
import type { Confinement } from "../confine/confinement.ts"
import { watchOutgrown, whyOutgrown } from "../confine/outgrown.ts"
import { weakerHere } from "../disk/native-calls.ts"
import { forbidCoreFiles } from "../disk/no-core-files.ts"
import { createMemoryReturn, keepHeapSmall } from "../ops/give-memory-back.ts"
import { type Agent, type AgentPorts, createAgent } from "../project/agent.ts"
import { gitSources } from "../project/feeds.ts"
import { checkProjections, showsSecrets } from "../project/projection-spec.ts"
import { type AgentPort, openPort } from "./agent-port.ts"
import { createSignals, type Signals } from "./agent-signals.ts"
import { NO_CLUSTER, openCluster } from "./open-cluster.ts"

export interface RunOptions {
  /** Path of the agent's file. */
  config: string
  logLevel?: string
  /** Whether the process confines what it writes; absent: it does not. It executes the program again, so only a program's own process can. */
  confine?: ConfineMode
  /** Where to send traces; undefined: where OpenTelemetry's variables say, if anywhere. */
  otlpEndpoint?: string
  /** End when every projection shows the newest revision. */
  once?: boolean
  /** With `once`: fail after so many milliseconds. */
  timeout?: number
  /** Instead of the file's, in milliseconds. */
  jitter?: number
}

const ONCE_LOOK_MS = 20
/** How long settings that did not start are left alone: what they name (a mounted Secret) may yet come. */
const RETRY_MS = 60_000

/**
 * `headrace-agent --config FILE`: runs the agent until the signal aborts. When the file changes it starts over with the
 * new settings, within this process; settings that do not read or do not start leave the last good ones in force. SIGHUP
 * looks at everything now, SIGUSR2 logs the state. Throws UsageError for bad settings at the start.
 */
export async function runAgent(options: RunOptions, signal: AbortSignal): Promise<void> {
  keepHeapSmall()
  const log = createLog("agent", options.logLevel === undefined ? {} : { level: options.logLevel })
  const load = (file: string) => loadSettings(file, options.jitter)
  const settings = await load(options.config)
  const confinement = await confineProcess(settings, options.confine ?? "off")
  if (confinement.isConfined) log.info("this process writes only where its settings name")
  else log.warn({ reason: confinement.why }, "this process is not confined: it can write elsewhere")
  for (const weaker of await weakerHere()) log.warn({ weaker }, "weaker here than on Linux")
  const program = "headrace-agent"
  const version = packageVersion(import.meta.url)
  const endpoint = options.otlpEndpoint
  const traces = await openTraces({ program, version, endpoint, env: process.env, log })
  try {
    if (!options.once) {
      const metrics = createProcessMetrics({ program, version })
      return await runServing(
        settings,
        { ...options, load, observed: { process: metrics, traces, confinement }, log },
        signal,
      )
    }
    const started = await startAgent(settings, log, { traces, confinement, once: true })
    try {
      await runOnce(started.agent, options, signal)
    } finally {
      started.close()
    }
  } finally {
    await traces?.close()
    log.info("agent stopped")
  }
}

async function loadSettings(file: string, jitter: number | undefined): Promise<AgentSettings> {
  const settings = await loadAgentSettings(file)
  checkProjections(settings)
  return { ...settings, jitter: jitter ?? settings.jitter }
}

interface StartedAgent {
  agent: Agent
  close(): void
}

/** An agent with its connection to the cluster, when it needs one. Throws `kube/…` for a kubeconfig that does not read. */
async function startAgent(
  settings: AgentSettings,
  log: Log,
  observed: Pick<AgentPorts, "process" | "traces" | "once" | "confinement">,
): Promise<StartedAgent> {
  const memory = createMemoryReturn()
  if (showsSecrets(settings) && !forbidCoreFiles()) {
    log.warn("core files cannot be forbidden: a crash may write Secrets to one")
  }
  const client = await openCluster(settings, log)
  const agent = createAgent(settings, {
    reader: client ?? NO_CLUSTER,
    ...(client === undefined ? {} : { cluster: client.cluster, leases: client, secrets: client.secrets }),
    clock: systemClock,
    log,
    ...observed,
    onShown: memory.used,
    onUnpack: memory.unpacked,
    onRead: memory.read,
  })
  return {
    agent,
    close() {
      memory.stop()
      client?.close()
    },
  }
}

interface ServingOptions extends RunOptions {
  load(file: string): Promise<AgentSettings>
  observed: { process: ProcessMetrics; traces: Traces | undefined; confinement: Confinement }
  log: Log
}

async function runServing(first: AgentSettings, options: ServingOptions, signal: AbortSignal): Promise<void> {
  const { log, observed } = options
  const port = await openPort(first, log)
  const watcher = createSignals(log)
  let running = { settings: first, started: await startAgent(first, log, observed) }
  try {
    for (;;) {
      const { settings, started } = running
      await port.serve(settings, started.agent)
      watcher.follow(started.agent)
      log.info({ record: settings.record, url: port.url() }, "agent started")
      const next = await runUntilChanged(started, settings, { ...options, watcher, port }, signal)
      if (next === undefined) return
      log.info("settings changed: starting over")
      started.close()
      running = next
    }
  } finally {
    watcher.close()
    running.started.close()
    await port.close()
  }
}

/** An agent that was made by settings and does not run yet. */
interface Prepared {
  settings: AgentSettings
  started: StartedAgent
}

interface FollowOptions extends ServingOptions {
  watcher: Signals
  port: AgentPort
}

/** Runs until the signal aborts, then undefined, or until another agent is prepared by the file's new settings. */
async function runUntilChanged(
  { agent }: StartedAgent,
  current: AgentSettings,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<Prepared | undefined> {
  const over = new AbortController()
  const ended = AbortSignal.any([signal, over.signal])
  const running = agent.run(ended)
  const { log, observed } = options
  const outgrown = watchOutgrown(observed.confinement, current, { clock: systemClock, log }, ended)
  try {
    return await Promise.race([prepareNext(current, options, ended), running.then(() => undefined), outgrown])
  } finally {
    over.abort(new HeadraceError("program/stopped", "the agent starts over"))
    await running
  }
}

/** Waits for settings by which an agent can be made; undefined when the signal aborted. */
async function prepareNext(
  current: AgentSettings,
  { config, load, observed, log, watcher, port }: FollowOptions,
  signal: AbortSignal,
): Promise<Prepared | undefined> {
  const { settingsRejected } = observed.process
  let interval: number | undefined
  for (;;) {
    const settings = await nextSettings({
      ...{ file: config, load, current, log, signal, hurry: watcher.hurry },
      onRejected: settingsRejected,
      ...(interval === undefined ? {} : { interval }),
    })
    if (settings === undefined) return undefined
    try {
      const outgrown = await whyRestarted(settings, observed.confinement)
      await port.open(settings)
      const started = await startAgent(settings, log, observed)
      if (outgrown !== undefined) {
        started.close()
        throw outgrown
      }
      settingsRejected(false)
      return { settings, started }
    } catch (error) {
      if (hasCode(error, "agent/restart-needed")) throw error
      settingsRejected(true)
      log.error({ err: errorText(error) }, "changed settings do not start; the last good ones stay in force")
      interval = RETRY_MS
    }
  }
}

/** Why only another process can begin with these settings; undefined: this one can. Throws why none can. */
async function whyRestarted(
  settings: AgentSettings,
  confinement: Confinement,
): Promise<HeadraceError | undefined> {
  const outgrown = await whyOutgrown(confinement, settings)
  if (outgrown?.code === "agent/outside-confinement") throw outgrown
  // Where it is outgrown, this process may not write there, and the next one may.
  if (outgrown === undefined) await checkMirrors(settings)
  return outgrown
}

/** A git source without a folder for its mirror ends the agent: settings that have none are not begun with. Throws `git/mirrors-unwritable`. */
async function checkMirrors(settings: AgentSettings): Promise<void> {
  if (gitSources(settings).size === 0) return
  // Loaded where it is used: most agents follow no git source.
  const { checkMirrorsFolder } = await import("@headrace/shared/git/mirror/claim-folder")
  await checkMirrorsFolder(resolve(settings.mirrors))
}

/** For init containers and scripts: ends when everything is shown and every consumer was notified. */
async function runOnce(agent: Agent, { timeout }: RunOptions, signal: AbortSignal): Promise<void> {
  const done = new AbortController()
  const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout)]
  let hasFailed = false
  const running = agent.run(AbortSignal.any([signal, done.signal, ...limit]))
  // Thrown below; until then nobody waits for it.
  running.catch(() => {
    hasFailed = true
  })
  const isDone = () => isCurrent(agent.readiness()) && agent.isTold()
  while (!isDone() && !hasFailed && !signal.aborted && !limit.some(({ aborted }) => aborted)) {
    await systemClock.sleep(ONCE_LOOK_MS, signal).catch(() => undefined)
  }
  const { reasons } = agent.readiness()
  done.abort()
  await running
  signal.throwIfAborted()
  if (isDone()) return
  const why = reasons.length > 0 ? reasons.join("; ") : "not every consumer could be notified"
  throw new HeadraceError("agent/not-ready", `not everything is shown after ${timeout} ms: ${why}`, {
    hint: "Run it again, or give it more time with --timeout; what was published stays.",
  })
}
