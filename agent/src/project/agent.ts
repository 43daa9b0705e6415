import { createByteRoom } from "@headrace/shared/foundation/byte-room"
import type { Clock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { Log } from "@headrace/shared/observe/log"
import type { Readiness } from "@headrace/shared/observe/ops-routes"
import type { ProcessMetrics } from "@headrace/shared/observe/process-metrics"
import type { Traces } from "@headrace/shared/observe/traces"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { Registry } from "prom-client"
import { type Inputs, NO_INPUTS } from "../assemble/inputs.ts"
import { openObjectCaches } from "../assemble/object-caches.ts"
import { createStoreReader } from "../assemble/store-reader.ts"
import type { Confinement } from "../confine/confinement.ts"
import { agentReadiness } from "../ops/agent-readiness.ts"
import { createAgentMetrics } from "../report/agent-metrics.ts"
import type { LeaseClient } from "../report/node-lease.ts"
import { createNodeTraces } from "../report/node-traces.ts"
import type { ProjectionStatus } from "../report/projection-status.ts"
import { nodeName, reportNode } from "../report/report-node.ts"
import type { RolloutNode } from "../report/rollout-report.ts"
import { createLatest } from "../watch/latest.ts"
import type { WatchStatus } from "../watch/watch-status.ts"
import { type CandidateNode, isChosen, isStaged, keepsBaseline } from "./candidate-choice.ts"
import { type ChangeInputs, runFeeds } from "./feeds.ts"
import { createProjectionSet } from "./projection-set.ts"
import { createPublishLimits } from "./publish-limits.ts"

export interface AgentPorts {
  reader: ConfigMapReader
  /** Reads Secrets, in the shape of ConfigMaps; absent: there are none. */
  secrets?: ConfigMapReader
  /** Which cluster that reads: a record of another one is another record. */
  cluster?: string
  /** Where to report this node; absent: nowhere. */
  leases?: LeaseClient
  clock: Clock
  /** Gives a number in [0, 1), for `jitter`. */
  random?: () => number
  /** How often to look whether another process has moved what is shown, in milliseconds; 10 s unless given. */
  lookEvery?: number
  log: Log
  /** Called when what a projection shows is new, or new to this process: work that is rare has ended. */
  onShown?(): void
  /** Where spans of the way of commits go; absent: nowhere. */
  traces?: Traces | undefined
  /** Metrics of the process, served beside the agent's own; they outlive a change of its settings. */
  process?: ProcessMetrics
  /** Called with each shard unpacked and its size in bytes. */
  onUnpack?(bytes: number): void
  /** Called with the bytes of contents of a git source or a folder that are read next, and dropped at once. */
  onRead?(bytes: number): void
  /** How the writes of this process are confined; absent: they are not. */
  confinement?: Pick<Confinement, "isConfined" | "why">
  /** True for a run that ends once everything is shown: it takes no candidate of a rollout. */
  once?: boolean
}

export interface Agent {
  registry: Registry
  readiness(): Readiness
  projections(): ProjectionStatus[]
  /** True when every consumer was notified of what is shown. */
  isTold(): boolean
  /** Fetches git sources, and checks and publishes every projection again, now. */
  lookNow(): void
  /** What it knows, for people: projections, and how its sources are. */
  state(): Record<string, unknown>
  /** Follows the record and publishes until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

function boundsOf({ bounds }: AgentSettings): { most: number; mostBytes: number } {
  return { most: bounds.list, mostBytes: bounds.file }
}

/** An agent without its HTTP server and its connection, so that many fit one process. */
export function createAgent(settings: AgentSettings, ports: AgentPorts): Agent {
  const { reader, clock, log } = ports
  const [namespace = ""] = (settings.record ?? "").split("/")
  const inputs = createLatest<Inputs>()
  const record = () => inputs.current()?.value.record
  const watch: WatchStatus = { feeds: new Map(), gitTroubles: new Map() }
  const statusChanges = createLatest<true>()
  const hurry = createLatest<true>()
  const stop = new AbortController()
  const node: CandidateNode = {
    settings,
    canReport: ports.leases !== undefined,
    once: ports.once === true,
    projections: () => projections.statuses(),
  }
  const metrics = createAgentMetrics({
    projections: () => projections.statuses(),
    watch: () => watch,
    recordSeq: () => record()?.token.seq,
    isConfined: () => ports.confinement?.isConfined === true,
    now: clock.now,
  })
  const onUnpack = (bytes: number) => ports.onUnpack?.(bytes)
  const caches =
    settings.objects && openObjectCaches(settings.objects, { clock, log, onAnswer: metrics.askedCache })
  const store = createStoreReader({
    reader,
    caches,
    namespace,
    bounds: settings.bounds,
    signal: stop.signal,
    onFetch: metrics.fetched,
    onUnpack,
  })
  const projections = createProjectionSet(settings, inputs, {
    store,
    clock,
    log,
    contents: createByteRoom(settings.bounds.contents),
    limits: createPublishLimits(() => store.keepOnly(projections.used())),
    jitter: settings.jitter,
    maxAge: settings.trust?.maxAge,
    random: ports.random,
    lookEvery: ports.lookEvery,
    onPublished: (spec, result) => metrics.published(spec.name, result),
    onPropagated: metrics.propagated,
    traces: ports.traces && createNodeTraces(ports.traces, nodeName(settings), clock),
    onShown: () => ports.onShown?.(),
    takes: (followed) => isChosen(node, followed),
    onCheck: (spec, check, result) => metrics.checked(spec.name, check, result),
    onStatus: () => statusChanges.set(true),
    onFailed: (spec, error) => {
      metrics.failed(spec.name, error instanceof HeadraceError ? error.code : "agent/unexpected")
    },
  })

  function rollout(): RolloutNode {
    const current = record()
    return {
      labels: settings.report?.labels ?? {},
      keepsBaseline: keepsBaseline(node),
      isStaged: current !== undefined && isStaged(current),
    }
  }

  async function reporting(signal: AbortSignal): Promise<void> {
    if (ports.leases === undefined) return
    const { statuses } = projections
    const onWrite = metrics.reported
    const told = { projections: statuses, rollout, changes: statusChanges, onWrite }
    await reportNode(settings, { client: ports.leases, clock, log, ...told }, signal)
  }

  return {
    registry: ports.process ? Registry.merge([ports.process.registry, metrics.registry]) : metrics.registry,
    projections: projections.statuses,
    isTold: projections.isTold,
    readiness: () =>
      agentReadiness(settings.record === undefined ? "none" : record(), watch, projections.statuses()),
    lookNow() {
      hurry.set(true)
      const known = inputs.current()
      if (known !== undefined) inputs.set(known.value)
    },
    state: () => ({
      confinement: ports.confinement && {
        isConfined: ports.confinement.isConfined,
        why: ports.confinement.why,
      },
      record: record()?.token,
      recordProblem: watch.record,
      sources: Object.fromEntries(watch.feeds),
      folderProblems: Object.fromEntries(
        [...(inputs.current()?.value.folders ?? [])].filter(([, found]) => typeof found === "string"),
      ),
      gitProblems: Object.fromEntries(inputs.current()?.value.gitTroubles ?? []),
      projections: projections.statuses(),
    }),
    async run(signal) {
      const ended = AbortSignal.any([signal, stop.signal])
      // What is on disk is opened and verified at once, whether or not anything can be read.
      inputs.set(NO_INPUTS)
      const { secrets } = ports
      const onRead = (bytes: number) => ports.onRead?.(bytes)
      const watchPorts = { clock, log, status: watch, hurry, secrets, onRead, ...boundsOf(settings) }
      const change: ChangeInputs = (apply) => inputs.set(apply(inputs.current()?.value ?? NO_INPUTS))
      const watching = runFeeds(settings, reader, watchPorts, change, ended, ports.cluster)
      try {
        await Promise.all([watching, projections.run(ended), reporting(ended)])
      } finally {
        stop.abort(signal.reason)
        caches?.close()
      }
    },
  }
}
