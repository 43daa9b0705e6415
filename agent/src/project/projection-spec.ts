import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { resolve } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import type { GuardLimits } from "@headrace/shared/gates/guard/judge-change"
import type { AfterCheckSettings } from "@headrace/shared/settings/agent-after"
import type { BeforePublishSettings, NotifySettings } from "@headrace/shared/settings/agent-notify"
import type { PermissionsSettings } from "@headrace/shared/settings/agent-permissions"
import type {
  AgentSettings,
  KeepSettings,
  ProjectionSettings,
} from "@headrace/shared/settings/agent-settings"
import type { FromSettings } from "@headrace/shared/settings/agent-sources"
import { placeOfSetting } from "@headrace/shared/settings/setting-places"
import type { BaseNameRule } from "../assemble/base-names.ts"
import { createFolderSource } from "../assemble/folder-source.ts"
import { createGitSource } from "../assemble/git-source.ts"
import { createLiveSource } from "../assemble/live-source.ts"
import type { ProjectionSource } from "../assemble/source.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import { createTargetSource } from "../assemble/target-source.ts"
import type { Permissions } from "../store/permissions.ts"
import { liveKind, liveSelection } from "../watch/live-selection.ts"
import { gitHistory, gitSourceId } from "../watch/watch-git.ts"
import { atPlace, checkFolders, checkOwnFolders } from "./check-folders.ts"
import { checkInputs } from "./check-inputs.ts"

/** What distinguishes a projection of layout `links` from any other folder. */
const STORE_FOLDER = "..rev"
const OWNER_ONLY: Partial<Permissions> = { file: 0o400, executable: 0o500 }

/** What to show where. */
export interface ProjectionSpec {
  name: string
  path: string
  sources: readonly ProjectionSource[]
  /** True when its tokens are the record's: those of the first source that has commits. */
  ofRecord: boolean
  /** True when a source of it is a Secret. */
  isSecret?: boolean
  /** Which files need a base name of their own. */
  uniqueBaseNames?: BaseNameRule
  layout: ProjectionSettings["layout"]
  durability: ProjectionSettings["durability"]
  keep: KeepSettings
  link?: string
  visibleLinks?: boolean
  breakLeases?: boolean
  /** Where things are in the making. */
  workFolder?: string | undefined
  permissions?: Partial<Permissions>
  /** How much a change that no operator has judged can delete; undefined: any number. */
  guard?: GuardLimits | undefined
  before?: readonly BeforePublishSettings[]
  notify: readonly NotifySettings[]
  after?: readonly AfterCheckSettings[]
}

/** The projections that the settings name one by one. Throws UsageError when two want one folder, or two inputs one path. */
export function namedProjections(settings: AgentSettings, store: StoreReader): ProjectionSpec[] {
  checkProjections(settings)
  const specs = Object.entries(settings.projections).map(([name, projection]) => ({
    name,
    path: resolve(projection.path),
    sources: projection.from.map((from) => createSource(from, store, reservedOf(projection))),
    ofRecord: projection.from.find(hasCommits)?.configMap !== undefined,
    uniqueBaseNames: projection.uniqueBaseNames,
    layout: projection.layout,
    durability: projection.durability,
    keep: projection.keep,
    link: projection.link,
    breakLeases: projection.breakLeases,
    workFolder: workFolderOf(name, projection),
    guard: guardOf(projection),
    before: projection.before,
    notify: projection.notify,
    after: projection.after,
    isSecret: projection.from.some(isSecret),
    ...permissionsFor(projection),
    ...(projection.visibleLinks === undefined ? {} : { visibleLinks: projection.visibleLinks }),
  }))
  return specs
}

/**
 * Throws UsageError, with the place in the file, when two projections want one folder, two inputs of one want one path,
 * or a projection would show itself.
 */
export function checkProjections(settings: AgentSettings): void {
  const placed = Object.entries(settings.projections).map(([name, projection]) => ({
    name,
    path: resolve(projection.path),
    place: placeOfSetting(projection),
    from: projection.from,
  }))
  for (const { name, path, place, from } of placed) {
    const folders = from.flatMap(({ folder }) => (folder === undefined ? [] : [resolve(folder)]))
    atPlace(place, () => {
      checkInputs(name, from)
      checkOwnFolders(name, path, folders)
    })
  }
  checkFolders(settings.everyTarget ? [...placed, everyFolder(settings.everyTarget)] : placed)
}

/** Files of a Secret are for their owner alone unless the settings say otherwise: what lists their digests too. */
function permissionsFor({ from, permissions }: ProjectionSettings): Pick<ProjectionSpec, "permissions"> {
  const given = permissions && permissionsOf(permissions)
  if (!from.some(isSecret)) return given === undefined ? {} : { permissions: given }
  return { permissions: { ...OWNER_ONLY, ...given } }
}

function isSecret({ live }: FromSettings): boolean {
  return live !== undefined && liveKind(live) === "Secret"
}

/** Live objects and folders have none: their content names what is shown. */
function hasCommits({ configMap, git }: FromSettings): boolean {
  return configMap !== undefined || git !== undefined
}

/** True when any projection shows a Secret. */
export function showsSecrets(settings: AgentSettings): boolean {
  return Object.values(settings.projections).some(({ from }) => from.some(isSecret))
}

/** Without what the settings leave out, which is as usual. */
function permissionsOf(settings: PermissionsSettings): Partial<Permissions> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function everyFolder({ path }: { path: string }): { name: string; path: string } {
  return { name: "everyTarget", path: resolve(path) }
}

/** The projection of one target under `everyTarget`: one that has left the record is shown empty. */
export function targetProjection(
  every: NonNullable<AgentSettings["everyTarget"]>,
  target: string,
  store: StoreReader,
): ProjectionSpec {
  return {
    name: target,
    path: resolve(every.path, target),
    sources: [createTargetSource({ target, names: "keys", whenAbsent: "empty" }, store)],
    ofRecord: true,
    layout: "links",
    ...(every.permissions && { permissions: permissionsOf(every.permissions) }),
    durability: every.durability,
    keep: every.keep,
    notify: every.notify,
  }
}

/** A namespace and a name as Kubernetes has them (RFC 1123), which as a path never lead out of a folder. */
const TARGET = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/** Throws `store/corrupt` for targets that must not choose a place: who can write the record could choose any. */
export function checkTargetNames(targets: readonly string[]): void {
  const bad = targets.find((target) => !TARGET.test(target))
  if (bad === undefined) return
  throw new HeadraceError(
    "store/corrupt",
    `the record lists ${JSON.stringify(bad)}, names that Kubernetes cannot have`,
    {
      hint: "Rebuild with headrace-bootstrapper apply: another program has written the record or its store.",
    },
  )
}

/** Targets (`namespace/name`) that an earlier run projected under a folder, by what is there. */
export async function projectedTargets(folder: string): Promise<string[]> {
  const namespaces = await foldersIn(folder)
  const targets = await Promise.all(
    namespaces.map(async (namespace) => {
      const names = await foldersIn(resolve(folder, namespace))
      const ours = names.filter((name) => existsSync(resolve(folder, namespace, name, STORE_FOLDER)))
      return ours.map((name) => `${namespace}/${name}`)
    }),
  )
  return targets.flat()
}

/** An origin of several files never loses all of them, whatever share of its files it can lose. */
function guardOf({ guard }: ProjectionSettings): GuardLimits | undefined {
  if (guard === "off") return undefined
  const { deletedFiles, atLeast, window } = guard
  return { deletedKeys: deletedFiles, deletedConfigMaps: 0, atLeast, window }
}

/** A folder for each projection: two could have the same names in the making. */
function workFolderOf(name: string, { workFolder }: ProjectionSettings): string | undefined {
  return workFolder === undefined ? undefined : resolve(workFolder, encodeURIComponent(name))
}

/** With visible links a revision's names are beside the link that is moved. */
function reservedOf({ layout, link, visibleLinks }: ProjectionSettings): string[] {
  return layout === "links" && (visibleLinks ?? link === "..data") ? [link] : []
}

function createSource(from: FromSettings, store: StoreReader, reserved: readonly string[]): ProjectionSource {
  const { configMap, live, git, folder, under, names, items, mode, optional, gunzip } = from
  if (configMap !== undefined) {
    const whenAbsent = optional ? "empty" : "wait"
    return createTargetSource({ target: configMap, under, names, items, mode, whenAbsent }, store)
  }
  if (git !== undefined)
    return createGitSource({
      id: gitSourceId(git),
      history: gitHistory(git),
      under,
      items,
      mode,
      optional,
      reserved,
    })
  if (folder !== undefined) {
    return createFolderSource({ path: resolve(folder), under, items, mode, optional, reserved })
  }
  if (live === undefined) throw new UsageError("settings/source", "not a source that this version knows")
  const { id, kind } = liveSelection(live)
  const { uniqueNames } = live
  return createLiveSource({
    id,
    kind,
    place: live.configMap ?? live.secret,
    uniqueNames,
    under,
    optional,
    items,
    mode,
    gunzip,
    mostUnpacked: store.bounds.file,
  })
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name)
}
