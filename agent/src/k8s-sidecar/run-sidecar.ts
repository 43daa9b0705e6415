import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import { sha256 } from "@headrace/shared/foundation/digest"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import { type LightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import type { Log } from "@headrace/shared/observe/log"
import { isInMemory } from "../disk/in-memory.ts"
import { forbidCoreFiles } from "../disk/no-core-files.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import type { RevisionFile } from "../store/revision.ts"
import { followLatest } from "../watch/follow-latest.ts"
import { createLatest } from "../watch/latest.ts"
import { callConsumer, runScript } from "./call-consumer.ts"
import { createHealth, type Health, openHealthPort } from "./health-port.ts"
import { type SelectedObject, sidecarFiles } from "./sidecar-files.ts"
import { followObjects, listObjects, type ObjectPorts } from "./sidecar-objects.ts"
import type { NamedObject, SidecarSettings } from "./sidecar-settings.ts"

export interface SidecarPorts {
  log: Log
  clock?: Clock
  /** Where the pod's own namespace is written; the service account's mount unless given. */
  namespaceFile?: string
}

/** A replaced revision stays this long, in milliseconds: a reader may be in it. */
const KEEP_MS = 60_000
const NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
const ID_LENGTH = 40
/**
 * Revisions are in a folder of this folder, in which there are no files: rulers of Loki, Cortex and Mimir take each folder of
 * FOLDER for a tenant and each file of that for rules. Both names end in what the sidecar selects: several may share FOLDER.
 */
const STORE_PREFIX = "..headrace-"
const LINK_PREFIX = "..data-"
const OF_A_SIDECAR = /^(\.\.\/)*\.\.data-[0-9a-f]{8}\//
const KEY_LENGTH = 8

/** Does what k8s-sidecar does, until the signal aborts, or once with METHOD LIST. Throws `kube/…`, `publish/…`, `http/…`. */
export async function runSidecar(
  settings: SidecarSettings,
  { log, clock = systemClock, namespaceFile = NAMESPACE_FILE }: SidecarPorts,
  signal: AbortSignal,
): Promise<void> {
  if (settings.kinds.includes("Secret")) warnOfSecrets(settings, log)
  const { kubeconfig } = settings
  const client = await openLightClient({ ...(kubeconfig === undefined ? {} : { kubeconfig }), log })
  const health = createHealth()
  const port = await openHealthPort(settings.listen, health, log).catch((error: unknown) => {
    if (hasCode(error, "http/bind")) {
      // Several in a pod have one default port, and so have their consumers: k8s-sidecar goes on too.
      log.warn({ err: errorText(error) }, "HEALTH_PORT is taken, so there is no /healthz")
      return undefined
    }
    client.close()
    throw error
  })
  try {
    const namespaces = settings.namespaces ?? [await ownNamespace(namespaceFile)]
    log.info({ folder: settings.folder, namespaces, url: port?.url }, "k8s-sidecar started")
    await runShowing(settings, { client, namespaces, health, clock, log }, signal)
  } finally {
    await port?.close()
    client.close()
    log.info("k8s-sidecar stopped")
  }
}

interface Running {
  client: LightClient
  namespaces: readonly string[]
  health: Health
  clock: Clock
  log: Log
}

async function runShowing(settings: SidecarSettings, running: Running, signal: AbortSignal): Promise<void> {
  const { client, namespaces, clock, log } = running
  const ports: ObjectPorts = {
    readers: { ConfigMap: client, Secret: client.secrets },
    namespaces,
    log,
  }
  const projection = await openFolder(settings, log, signal)
  try {
    const shower = createShower(settings, projection, running)
    if (settings.method === "LIST") return await shower(await listObjects(settings, ports, signal), signal)
    const latest = createLatest<SelectedObject[]>()
    const failed = (error: unknown) => log.warn({ err: errorText(error) }, "cannot publish")
    const showing = followLatest(latest, (objects) => shower(objects, signal), failed, clock, signal)
    const following = followObjects(settings, ports, latest.set, signal, clock)
    await Promise.all([showing, following])
  } finally {
    await projection.close()
  }
}

/** Shows objects and then calls the consumer, when anything changed. */
function createShower(settings: SidecarSettings, projection: OpenProjection, running: Running) {
  let isFirst = true
  let named = ""

  return async function show(objects: readonly SelectedObject[], signal: AbortSignal): Promise<void> {
    const { files, leftOut } = sidecarFiles(objects, settings)
    if (leftOut.join("\n") !== named && leftOut.length > 0) {
      running.log.warn({ count: leftOut.length, keys: leftOut.slice(0, 10) }, "keys are left out")
    }
    named = leftOut.join("\n")
    const isChanged = await publishFiles(projection, files, running.log, signal)
    running.health.ready()
    // At a start consumers are notified in any case: an earlier run may have ended before it did so.
    if (isChanged || (isFirst && files.length > 0)) await notify(settings, isFirst, running, signal)
    isFirst = false
  }
}

/** True when the files are others than before. */
async function publishFiles(
  projection: OpenProjection,
  files: readonly RevisionFile[],
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  const content = canonicalJson(files.map(({ path, mode, sha256 }) => [path, mode, sha256]))
  const id = sha256(content).slice(0, ID_LENGTH)
  const floor = projection.floor()
  const isShown = projection.current()?.id === id
  const token = isShown ? floor : { epoch: floor.epoch, seq: floor.seq + 1 }
  const { outcome, filesWritten } = await projection.publish({ id, token, files }, signal)
  if (outcome !== "published") return false
  log.info({ files: files.length, written: filesWritten }, "files were changed")
  return true
}

async function notify(
  { script, call, method }: SidecarSettings,
  isFirst: boolean,
  { clock, log }: Running,
  signal: AbortSignal,
): Promise<void> {
  if (script !== undefined) await runScript(script, log, signal)
  const isSkipped = isFirst && method !== "LIST" && call?.skipFirst === true
  if (call !== undefined && !isSkipped) await callConsumer(call, clock, log, signal)
}

function openFolder(settings: SidecarSettings, log: Log, signal: AbortSignal): Promise<OpenProjection> {
  const { folder, labelSelector, namespaces = [], kinds, names } = settings
  const selected = canonicalJson([labelSelector, [...namespaces], [...kinds], names.map(placeOfNamed)])
  const key = sha256(selected).slice(0, KEY_LENGTH)
  return openProjection({
    path: join(folder, `${STORE_PREFIX}${key}`),
    layout: "links",
    link: join(folder, `${LINK_PREFIX}${key}`),
    visibleLinks: true,
    // Grafana looks for dashboards in folders, and not through links to folders.
    linksEachFile: true,
    durability: "auto",
    keep: { revisions: 2, age: KEEP_MS, bytes: Number.MAX_SAFE_INTEGER },
    permissions: { file: settings.mode },
    // Files that k8s-sidecar has written in a volume that outlives the pod.
    takesOverFiles: true,
    takesOverNames: (target) => OF_A_SIDECAR.test(target),
    log,
    signal,
  })
}

function placeOfNamed({ namespace, kind, name }: NamedObject): string {
  return `${namespace ?? ""}/${kind ?? ""}/${name}`
}

function warnOfSecrets({ folder, mode }: SidecarSettings, log: Log): void {
  if (!forbidCoreFiles()) log.warn("core files cannot be forbidden: a crash may write Secrets to one")
  if (!isInMemory(folder)) log.warn({ folder }, "Secrets are kept on a disk; a tmpfs keeps them in memory")
  if ((mode & 0o004) !== 0) {
    log.warn(
      { folder },
      "every user of the pod can read the Secrets, as with k8s-sidecar; DEFAULT_FILE_MODE=440 narrows it",
    )
  }
}

async function ownNamespace(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "")
  return text.trim() || "default"
}
