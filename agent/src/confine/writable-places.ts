import { dirname, resolve } from "node:path"
import type { NotifySettings } from "@headrace/shared/settings/agent-notify"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"

/** A place where the agent makes and removes files, or a file that a program of it writes. */
export interface WritablePlace {
  path: string
  kind: "folder" | "file"
  /** Whether the agent makes it where it is not there: durably, as what it publishes. */
  isMade: boolean
}

/**
 * Where an agent of these settings writes, each path once: below its projections, and where the settings name more. Layouts
 * `exchange` and `file` replace an entry of the folder above, and keep their store in it. Pure.
 */
export function writablePlaces(settings: AgentSettings): WritablePlace[] {
  const { everyTarget, confinement, mirrors } = settings
  const projections = Object.values(settings.projections)
  const git = projections.flatMap(({ from }) => from.flatMap((one) => one.git ?? []))
  const folders = [
    ...projections.flatMap(({ path, layout, workFolder }) => [
      layout === "links" ? resolve(path) : dirname(resolve(path)),
      ...(workFolder === undefined ? [] : [resolve(workFolder)]),
    ]),
    ...(everyTarget === undefined ? [] : [resolve(everyTarget.path)]),
    ...(git.length === 0 ? [] : [resolve(mirrors)]),
  ]
  const touched = [...projections, ...(everyTarget === undefined ? [] : [everyTarget])].flatMap(
    ({ notify }) => notify.flatMap(folderTouched),
  )
  const hostKeys = git.flatMap(({ auth }) =>
    auth?.sshHostKeys === "accept-new" ? (auth.sshKnownHostsFile ?? []) : [],
  )
  const found = [
    ...folders.map((path) => ({ path, kind: "folder", isMade: true }) as const),
    ...[...touched, ...confinement.writable].map(
      (path) => ({ path, kind: "folder", isMade: false }) as const,
    ),
    ...hostKeys.map((path) => ({ path: resolve(path), kind: "file", isMade: false }) as const),
  ]
  return [...new Map(found.map((place) => [place.path, place])).values()]
}

function folderTouched({ touch }: NotifySettings): string[] {
  return touch === undefined ? [] : [dirname(resolve(touch))]
}
