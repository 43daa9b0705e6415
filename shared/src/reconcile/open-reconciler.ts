import { createByteRoom } from "../foundation/byte-room.ts"
import { systemClock } from "../foundation/clock.ts"
import { errorText, hasCode } from "../foundation/errors.ts"
import { appTokens } from "../git/app-tokens.ts"
import { authFromSettings } from "../git/auth-from-settings.ts"
import { type Mirror, openMirror } from "../git/open-mirror.ts"
import { createEventRecorder } from "../kube/event-recorder.ts"
import { noteBreach } from "../observe/bound-breaches.ts"
import type { Log } from "../observe/log.ts"
import { approvalWordOf } from "../record/approval-word.ts"
import type { SourceRecord } from "../record/record.ts"
import { eventsOfSwap } from "../record/swap-events.ts"
import type { RolloutPolicy } from "../rollout/policy.ts"
import type { OperatorSettings, SourceSettings } from "../settings/operator-settings.ts"
import { repoOfSource } from "../settings/repo-of-source.ts"
import { unknownName } from "../settings/unknown-name.ts"
import { type OpenCluster, openCluster } from "./open-cluster.ts"
import { openOnce } from "./open-once.ts"
import { openVerifiers } from "./open-verifiers.ts"
import { askAtStart } from "./operate/ask-at-start.ts"
import { collectGarbage } from "./operate/collect-garbage.ts"
import { findOrphans, type Orphans } from "./operate/find-orphans.ts"
import { findUnplaced } from "./operate/find-unplaced.ts"
import { noteNodeTokens, type ReadRecord, readRecordInForce } from "./operate/notice-put-back.ts"
import { obeyWords } from "./operate/obey-words.ts"
import { reconcile } from "./reconcile.ts"
import { type ReturnLook, returnFailed } from "./return-failed.ts"
import { askCheck } from "./rollout/ask-check.ts"
import { readPeerRecords } from "./rollout/read-peer-records.ts"
import { reportedNodes } from "./rollout/reported-nodes.ts"
import { createReconcileMemory, type ReconcileMemory } from "./run/memory.ts"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest, ReconcileSettings } from "./run/ports.ts"
import type { RolloutPorts } from "./run/rollout-ports.ts"
import { createTargetSizes, type TargetSizes } from "./run/target-sizes.ts"

/** An hour: longer than any agent takes to read a revision that it has begun with. */
const GARBAGE_GRACE_MS = 3_600_000

/** How many large answers of API servers are read at one time: one cluster that does not end must not stop the others. */
const LARGE_ANSWERS = 3

/** Where GitHub Apps get their tokens, unless the settings name a GitHub Enterprise Server. */
const GITHUB_API = "https://api.github.com"

/** Everything that the operator's settings name, opened when it is first needed and once per process. */
export interface Reconciler {
  /** Reconciles one source in one cluster. Throws UsageError `settings/unknown-…` for names that are not there. */
  run(
    cluster: string,
    source: string,
    mode: ReconcileRequest["mode"],
    signal: AbortSignal,
    onProgress?: ReconcilePorts["onProgress"],
  ): Promise<ReconcileOutcome>
  /** Returns what has failed of a rollout in a cluster, and does nothing else (return-failed.ts). */
  returnFailed(cluster: string, source: string, signal: AbortSignal): Promise<ReturnLook>
  /** The mirror of a source. */
  repository(source: string): Promise<Mirror>
  /** The connection to a cluster. */
  kube(cluster: string): Promise<OpenCluster>
  /** ConfigMaps of ours that no rule names any more, at what the record shows or at `shown` alone. */
  orphans(
    cluster: string,
    source: string,
    signal: AbortSignal,
    shown?: Pick<ReconcileOutcome, "commit" | "token">,
  ): Promise<Orphans>
  /** What the rules that a cluster shows ask for in clusters that the settings do not have. */
  unplaced(cluster: string, source: string, signal: AbortSignal): Promise<string[]>
  /** The record as it is now, and whether it was put back from a backup; undefined where there is none. */
  record(cluster: string, source: string, signal: AbortSignal): Promise<ReadRecord | undefined>
  /** What `run` works with, for commands that look at or change a record. */
  ports(cluster: string, source: string): Promise<ReconcilePorts>
  /** How large the named ConfigMaps are that its runs have met. */
  sizes: TargetSizes
  close(): Promise<void>
}

/**
 * Wires reconcile to the mirrors and clusters of the operator's settings. Opens nothing yet. `leads`: see RolloutPorts.
 */
export async function openReconciler(
  settings: OperatorSettings,
  log: Log,
  { leads = false }: { leads?: boolean } = {},
): Promise<Reconciler> {
  const tokens = appTokens(settings.github?.apiUrl ?? GITHUB_API, settings.bounds.answer)
  const mirrors = openOnce((name: string) => {
    const { url, branch, auth, caFile, proxy, allowPlaintext, fsckIgnore = [] } = sourceNamed(settings, name)
    const login = authFromSettings(auth, tokens)
    const protection = { caFile, proxy, allowPlaintext, fsckIgnore, ...(login ? { auth: login } : {}) }
    return openMirror({
      name,
      url,
      branch,
      folder: settings.mirrors,
      log,
      ...protection,
      bounds: settings.bounds,
    })
  })
  const verifiers = openVerifiers(settings, mirrors.get)
  const { answer, list } = settings.bounds
  const room = createByteRoom(LARGE_ANSWERS * answer)
  const clusters = openOnce((name: string) => {
    const cluster = settings.clusters[name]
    if (cluster === undefined) throw unknownName("cluster", name, Object.keys(settings.clusters))
    return openCluster(settings, name, cluster, log, { answer, list, room })
  })
  const recorders = openOnce(async (name: string) => {
    return createEventRecorder({ kube: await clusters.get(name), clock: systemClock, log })
  })
  const contents = createByteRoom(settings.bounds.contents)
  const memories = new Map<string, ReconcileMemory>()
  const sizes = createTargetSizes()
  const atStart = askAtStart()

  async function ports(cluster: string, source: string): Promise<ReconcilePorts> {
    const { rules } = sourceNamed(settings, source)
    const memory = memories.get(source) ?? createReconcileMemory()
    memories.set(source, memory)
    const repository = await mirrors.get(source)
    const events = await recorders.get(cluster)
    const rollout = rolloutOf(settings, cluster, source)
    return {
      kube: await clusters.get(cluster),
      peers: (signal) => readPeers(cluster, source, signal),
      onSwap({ configMap, before, after }) {
        const approval = approvalWordOf(configMap, (after.approved ?? before?.rejected)?.commit)
        events.record(configMap, eventsOfSwap(before, after, approval))
      },
      repository,
      rulesRepository: typeof rules === "string" ? repository : await mirrors.get(rules.source),
      settings: settingsFor(settings, cluster, source),
      verifiers: await verifiers.of(source),
      clock: systemClock,
      log: log.child({ cluster, source }),
      memory,
      sizes,
      contents,
      onBreach: (bound) => noteBreach(bound, `source ${source}`),
      ...(rollout ? { rollout: rolloutPorts(rollout, cluster, source) } : {}),
    }
  }

  function rolloutPorts(policy: RolloutPolicy, cluster: string, source: string): RolloutPorts {
    const others = policy.clusters.filter((other) => other !== cluster)
    const place = { namespace: settings.namespace, source }
    const namespaces = [settings.namespace, settings.programsNamespace]
    const reports = { namespaces, record: `${settings.namespace}/${source}`, clock: systemClock }
    return {
      policy,
      leads,
      nodes: async (signal) => reportedNodes(await clusters.get(cluster), reports, signal),
      peers: (signal) => readPeerRecords(others, place, clusters.get, signal),
      ask: askCheck,
    }
  }

  /** A cluster that is down or shows nothing has no say. */
  async function readPeers(cluster: string, source: string, signal: AbortSignal): Promise<SourceRecord[]> {
    const others = Object.keys(settings.clusters).filter((name) => name !== cluster)
    const place = { namespace: settings.namespace, source }
    const records = await readPeerRecords(others, place, clusters.get, signal)
    return [...records.values()].filter((record) => record !== null && record !== "unreachable")
  }

  /** What nodes report helps to notice a record that was put back; without it (false) a run is as good otherwise. */
  async function noteNodes(
    own: ReconcilePorts,
    cluster: string,
    source: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await noteNodeTokens(own, await clusters.get(cluster), { cluster, source }, signal)
      return true
    } catch (error) {
      signal.throwIfAborted()
      own.log.warn({ err: errorText(error) }, "reports of nodes not read")
      return false
    }
  }

  /** A namespace for words that is not there, or may not be read, holds nothing up. */
  async function hearWords(
    own: ReconcilePorts,
    cluster: string,
    source: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (own.settings.wordsNamespace === undefined) return
    try {
      if (await (await clusters.get(cluster)).maySign?.()) await obeyWords(own, source, signal)
    } catch (error) {
      signal.throwIfAborted()
      own.log.warn({ err: errorText(error) }, "operators' words cannot be read")
    }
  }

  async function renewSignature(
    cluster: string,
    source: string,
    by: "signature" | "git",
    signal: AbortSignal,
  ): Promise<void> {
    const kube = await clusters.get(cluster)
    try {
      await kube.renew?.(source, by, signal)
    } catch (error) {
      // Another writer was first, and has signed it.
      if (!hasCode(error, "kube/conflict")) throw error
    }
  }

  return {
    ports,
    sizes,
    repository: mirrors.get,
    kube: clusters.get,
    async orphans(cluster, source, signal, shown) {
      return findOrphans(await ports(cluster, source), { cluster, source }, signal, shown)
    },
    async unplaced(cluster, source, signal) {
      return findUnplaced(await ports(cluster, source), source, signal)
    },
    async record(cluster, source, signal) {
      const own = await ports(cluster, source)
      // At the start alone: afterwards this process has seen itself what was in force.
      await atStart(`${cluster} ${source}`, () => noteNodes(own, cluster, source, signal))
      return readRecordInForce(own, { cluster, source }, signal)
    },
    async returnFailed(cluster, source, signal) {
      return returnFailed({ cluster, source }, await ports(cluster, source), signal)
    },
    async run(cluster, source, mode, signal, onProgress) {
      sourceNamed(settings, source)
      // Before a mirror is opened: a forge, a git or a disk that is away must not make records too old to be believed.
      if (mode === "full") await renewSignature(cluster, source, "signature", signal)
      const own = { ...(await ports(cluster, source)), ...(onProgress ? { onProgress } : {}) }
      if (mode === "full") await noteNodes(own, cluster, source, signal)
      await hearWords(own, cluster, source, signal)
      const start = systemClock.now()
      const outcome = await reconcile({ cluster, source, mode }, own, signal)
      if (mode !== "full") return outcome
      if (outcome.stopped === null) {
        sizes.forget(cluster, source, start)
        await renewSignature(cluster, source, "git", signal)
      }
      await tidy(own, signal)
      const orphans =
        outcome.stopped === null ? await countOrphans(own, { cluster, source }, signal) : undefined
      return orphans === undefined ? outcome : { ...outcome, orphans }
    },
    async close() {
      await recorders.closeAll((recorder) => recorder.settled()).catch(() => undefined)
      await Promise.allSettled([
        verifiers.close(),
        mirrors.closeAll((mirror) => mirror.close()),
        clusters.closeAll(async (cluster) => cluster.close()),
      ])
    },
  }
}

/** Counted with the hourly rebuild, for the metric; failing at it is no failure of the rebuild. */
async function countOrphans(
  ports: ReconcilePorts,
  place: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const { found, unknown } = await findOrphans(ports, place, signal)
    return unknown === undefined ? found.length : undefined
  } catch (error) {
    signal.throwIfAborted()
    ports.log.warn({ err: error }, "ConfigMaps that no rule names are not counted")
    return undefined
  }
}

/** Garbage goes with the hourly rebuild; failing at it is no failure of the rebuild. */
async function tidy(ports: ReconcilePorts, signal: AbortSignal): Promise<void> {
  const { kube, clock, log } = ports
  try {
    const { namespace } = ports.settings
    const garbage = await collectGarbage({ kube, namespace, clock, grace: GARBAGE_GRACE_MS }, signal)
    log.info({ ...garbage }, "store looked through for garbage")
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error }, "garbage not collected")
  }
}

/** The stages of a source; undefined: it has none. */
function rolloutOf(
  { sources, clusters }: OperatorSettings,
  cluster: string,
  source: string,
): RolloutPolicy | undefined {
  const rollout = sources[source]?.rollout
  return rollout && cluster in clusters ? { ...rollout, clusters: Object.keys(clusters).sort() } : undefined
}

/** What the operator's file says about one source in one cluster. */
export function settingsFor(settings: OperatorSettings, cluster: string, source: string): ReconcileSettings {
  const from = sourceNamed(settings, source)
  const clusters = Object.entries(settings.clusters).map(
    ([name, { namespaces }]) => [name, namespaces ? { namespaces } : {}] as const,
  )
  return {
    namespace: settings.namespace,
    programsNamespace: settings.programsNamespace,
    ...(settings.signing?.words === undefined ? {} : { wordsNamespace: settings.signing.words }),
    repo: repoOfSource(from),
    rulesPath: typeof from.rules === "string" ? from.rules : from.rules.path,
    strict: from.strict,
    foreignKeys: from.foreignKeys,
    allowForcePush: from.allowForcePush,
    defaults: settings.defaults,
    guard: settings.guard,
    ...(settings.settingsVersion === undefined ? {} : { settingsVersion: settings.settingsVersion }),
    clusters: new Map(clusters),
    otherClusters: settings.otherClusters,
    ...(from.gates === undefined ? {} : { gates: from.gates }),
    store: settings.clusters[cluster]?.store ?? true,
    bounds: settings.bounds,
  }
}

function sourceNamed(settings: OperatorSettings, name: string): SourceSettings {
  const source = settings.sources[name]
  if (source === undefined) throw unknownName("source", name, Object.keys(settings.sources))
  return source
}
