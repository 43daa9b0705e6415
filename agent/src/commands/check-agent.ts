import { systemClock } from "@headrace/shared/foundation/clock"
import { errorMessage, HeadraceError } from "@headrace/shared/foundation/errors"
import { escapeLine } from "@headrace/shared/foundation/escape-text"
import { problemText } from "@headrace/shared/foundation/problem"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { GitFromSettings } from "@headrace/shared/settings/agent-sources"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { assembleProjection } from "../assemble/assemble-projection.ts"
import { type GitSnapshot, type Inputs, NO_INPUTS } from "../assemble/inputs.ts"
import { createStoreReader } from "../assemble/store-reader.ts"
import { folderSources, followGit, gitSources, liveSelections } from "../project/feeds.ts"
import { checkProjections, namedProjections } from "../project/projection-spec.ts"
import { readFolderOnce } from "../watch/watch-folder.ts"
import { believe } from "../watch/watch-record.ts"
import { everyTargetLine } from "./every-target-line.ts"
import { NO_CLUSTER, openCluster } from "./open-cluster.ts"

/** How long one git source may take to be fetched. */
const FETCH_MS = 60_000

/**
 * Reads the settings and, once, everything that they name, and assembles each projection without publishing.
 * Prints a line for each. `kubeconfig` is asked in place of the settings' own. Throws `agent/check-failed` when any cannot be shown.
 */
export async function checkAgent(
  config: string,
  kubeconfig: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const given = kubeconfig === undefined ? {} : { kubeconfig }
  const settings = { ...(await loadAgentSettings(config)), ...given }
  checkProjections(settings)
  const log = createLog("agent", { level: "silent" })
  const client = await openCluster(settings, log)
  try {
    const [namespace = ""] = (settings.record ?? "").split("/")
    const store = createStoreReader({
      reader: client ?? NO_CLUSTER,
      namespace,
      bounds: settings.bounds,
      signal,
    })
    const inputs = await readInputs(settings, client ?? NO_CLUSTER, client?.secrets ?? NO_CLUSTER, signal)
    let failed = 0
    for (const spec of namedProjections(settings, store)) {
      const line = await assembleProjection(spec.sources, inputs, spec).then(
        ({ files }) => `ok: ${files.length} files`,
        (error: unknown) => {
          failed += 1
          const code = error instanceof HeadraceError ? ` [${error.code}]` : ""
          return `error: ${errorMessage(error)}${code}`
        },
      )
      process.stdout.write(`${escapeLine(`${spec.name} at ${spec.path}: ${line}`)}\n`)
    }
    if (settings.everyTarget) process.stdout.write(`${escapeLine(everyTargetLine(settings, inputs))}\n`)
    for (const snapshot of inputs.git.values()) {
      // Those of a source that refuses them are its error already.
      if (snapshot.refusesUnknown) continue
      for (const problem of snapshot.unknown) process.stdout.write(`left out: ${problemText(problem)}\n`)
    }
    if (failed > 0) {
      throw new HeadraceError("agent/check-failed", `${failed} of the projections cannot be shown`)
    }
  } finally {
    client?.close()
  }
}

async function readInputs(
  settings: AgentSettings,
  reader: ConfigMapReader,
  secrets: ConfigMapReader,
  signal: AbortSignal,
): Promise<Inputs> {
  const live = new Map(NO_INPUTS.live)
  for (const { id, kind, namespaces, ...selection } of liveSelections(settings)) {
    const of = kind === "Secret" ? secrets : reader
    const lists = await Promise.all(namespaces.map((namespace) => of.list(namespace, selection, signal)))
    live.set(
      id,
      lists.flatMap(({ items }) => items),
    )
  }
  const [namespace = "", name = ""] = (settings.record ?? "").split("/")
  const record = settings.record === undefined ? undefined : await reader.get(namespace, name, signal)
  if (settings.record !== undefined && record === undefined) {
    process.stdout.write(`${escapeLine(`record ${settings.record}: error: it is not in the cluster`)}\n`)
  }
  const git = new Map(NO_INPUTS.git)
  const gitTroubles = new Map<string, string>()
  for (const [id, source] of gitSources(settings)) {
    const found = await firstSnapshot(settings, id, source, signal)
    if (typeof found === "string") gitTroubles.set(id, found)
    else git.set(id, found)
  }
  const folders = new Map(NO_INPUTS.folders)
  for (const path of folderSources(settings)) {
    folders.set(path, await readFolderOnce(path, signal).catch((error: unknown) => errorMessage(error)))
  }
  const place = { namespace, name, trust: settings.trust }
  const found = record && (await believe(record, place, systemClock.now()))
  return { live, git, gitTroubles, folders, ...(found === undefined ? {} : { record: found.record }) }
}

/** The first commit, or why there is none. */
async function firstSnapshot(
  settings: AgentSettings,
  id: string,
  git: GitFromSettings,
  signal: AbortSignal,
): Promise<GitSnapshot | string> {
  const done = new AbortController()
  const ports = {
    clock: systemClock,
    log: createLog("agent", { level: "silent" }),
    status: { feeds: new Map(), gitTroubles: new Map() },
  }
  const end = AbortSignal.any([signal, done.signal, AbortSignal.timeout(FETCH_MS)])
  let first: GitSnapshot | string = `not fetched in ${FETCH_MS / 1000} s`
  function take(found: GitSnapshot | string): void {
    first = found
    done.abort()
  }
  await followGit(settings, id, git, ports, { onSnapshot: take, onTrouble: take }, end)
  return first
}
