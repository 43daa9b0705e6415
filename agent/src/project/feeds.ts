import { resolve } from "node:path"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { GitFromSettings } from "@headrace/shared/settings/agent-sources"
import type { FolderSnapshot, GitSnapshot, Inputs } from "../assemble/inputs.ts"
import { type LiveSelection, liveSelection } from "../watch/live-selection.ts"
import { watchFolder } from "../watch/watch-folder.ts"
import { type GitListener, gitSourceId, watchGit } from "../watch/watch-git.ts"
import { watchLive } from "../watch/watch-live.ts"
import type { WatchPorts } from "../watch/watch-ports.ts"
import { type FoundRecord, watchRecord } from "../watch/watch-record.ts"

/** Changes what the agent knows. */
export type ChangeInputs = (change: (inputs: Inputs) => Inputs) => void

/** Follows everything that the settings name, each source once, until the signal aborts. */
export async function runFeeds(
  settings: AgentSettings,
  reader: ConfigMapReader,
  ports: WatchPorts,
  change: ChangeInputs,
  signal: AbortSignal,
  cluster?: string,
): Promise<void> {
  const feeds = liveSelections(settings).map((selection) =>
    watchLive(
      selection.kind === "Secret" ? (ports.secrets ?? reader) : reader,
      selection,
      ports,
      (configMaps) => {
        change((inputs) => ({ ...inputs, live: new Map(inputs.live).set(selection.id, configMaps) }))
      },
      signal,
    ),
  )
  if (settings.record !== undefined) {
    const [namespace = "", name = ""] = settings.record.split("/")
    const onRecord = ({ record, origin, uid, committedAt, added, signature }: FoundRecord) => {
      const recordReadAt = ports.clock.now()
      const found = { record, recordOrigin: origin, recordUid: uid, recordSignature: signature }
      const notes = { recordCommittedAt: committedAt, recordAdded: added, recordReadAt }
      change((inputs) => ({ ...inputs, ...found, ...notes }))
    }
    const place = { namespace, name, cluster, trust: settings.trust }
    feeds.push(watchRecord(reader, place, ports, onRecord, signal))
  }
  for (const [id, git] of gitSources(settings)) {
    const onSnapshot = (snapshot: GitSnapshot) => {
      change((inputs) => ({ ...inputs, git: new Map(inputs.git).set(id, snapshot) }))
    }
    const onTrouble = (reason: string) => {
      change((inputs) => ({ ...inputs, gitTroubles: new Map(inputs.gitTroubles).set(id, reason) }))
    }
    feeds.push(followGit(settings, id, git, ports, { onSnapshot, onTrouble }, signal))
  }
  for (const path of folderSources(settings)) {
    const onFolder = (found: FolderSnapshot | string) => {
      change((inputs) => ({ ...inputs, folders: new Map(inputs.folders).set(path, found) }))
    }
    feeds.push(watchFolder(path, ports, onFolder, signal))
  }
  await Promise.all(feeds)
}

/** Follows one git source in a mirror of its own until the signal aborts. Throws `git/…` when none can be opened. */
export async function followGit(
  settings: AgentSettings,
  id: string,
  git: GitFromSettings,
  ports: WatchPorts,
  listener: GitListener,
  signal: AbortSignal,
): Promise<void> {
  // Loaded where it is used: most agents follow no git source.
  const { openMirror } = await import("@headrace/shared/git/open-mirror")
  const { authFromSettings } = await import("@headrace/shared/git/auth-from-settings")
  const { url, branch, tag, caFile, proxy, allowPlaintext, fsckIgnore = [] } = git
  const commit = branch === undefined ? git.commit : undefined
  const auth = authFromSettings(git.auth)
  const mirror = await openMirror({
    name: id.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-/, ""),
    url,
    branch,
    tag,
    commit,
    folder: settings.mirrors,
    log: ports.log,
    caFile,
    proxy,
    allowPlaintext,
    fsckIgnore,
    bounds: settings.bounds,
    ...(auth === undefined ? {} : { auth }),
  })
  try {
    await watchGit(mirror, git, ports, listener, signal)
  } finally {
    await mirror.close()
  }
}

/** The settings of all git sources by their ids, each once. */
export function gitSources(settings: AgentSettings): Map<string, GitFromSettings> {
  const sources = Object.values(settings.projections).flatMap(({ from }) => from)
  return new Map(sources.flatMap(({ git }) => (git === undefined ? [] : [[gitSourceId(git), git] as const])))
}

/** The paths of all folders that other programs publish, each once. */
export function folderSources(settings: AgentSettings): Set<string> {
  const sources = Object.values(settings.projections).flatMap(({ from }) => from)
  return new Set(sources.flatMap(({ folder }) => (folder === undefined ? [] : [resolve(folder)])))
}

/** The selections of all `live` sources, each once. */
export function liveSelections(settings: AgentSettings): LiveSelection[] {
  const selections = Object.values(settings.projections)
    .flatMap(({ from }) => from)
    .flatMap(({ live }) => (live === undefined ? [] : [liveSelection(live)]))
  return [...new Map(selections.map((selection) => [selection.id, selection])).values()]
}
