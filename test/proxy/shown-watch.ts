import { readdirSync, readFileSync, realpathSync } from "node:fs"
import { basename, join } from "node:path"
import type { ProjectionStatus } from "@headrace/agent/report/projection-status"
import type { Manifest } from "@headrace/agent/store/manifest"
import { MANIFEST_NAME } from "@headrace/agent/store/manifest-name"
import { Note } from "@headrace/agent/store/note"
import { NOTE_NAME } from "@headrace/agent/store/store"
import type { Token } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { ruledFiles } from "../model/model-revision.ts"
import { expectedTargets } from "../model/model-rules.ts"
import { FIRST_SETTINGS } from "../model/model-settings.ts"
import { OWN_NAMESPACE } from "../model/model-sources.ts"
import { sameKeys } from "../model/store-view.ts"
import { Violation } from "../model/violation.ts"
import type { Site } from "./site.ts"

/** What the projections of one node have shown, over every life of its agent. */
export interface ShownWatch {
  /** Notes what each projection shows, and its floors. Throws a Violation: one went back, or it is not one commit whole. */
  note(statuses: readonly ProjectionStatus[]): void
  /** What is missing until every target is as the record says; undefined: nothing. */
  missing(statuses: readonly ProjectionStatus[]): Promise<string | undefined>
}

/** `folder` is that of `everyTarget`. */
export function watchShown(site: Site, folder: string): ShownWatch {
  const { simulation, cluster } = site
  const largest = new Map<string, Token>()

  function expectedAt(commit: string) {
    const files = ruledFiles(simulation, "release", { commit, rulesCommit: null }, FIRST_SETTINGS)
    return expectedTargets(files, cluster.name)
  }

  /** Those that a node shows: what is refused keeps its last good content, if it ever had any. */
  function placesAt(commit: string): string[] {
    return [...(expectedAt(commit) ?? [])].flatMap(([place, { refused }]) => (refused ? [] : place))
  }

  function raise(what: string, token: Token): void {
    const before = largest.get(what)
    if (before && compareTokens(token, before) < 0) {
      throw new Violation(`2: ${what} went back from ${tokenText(before)} to ${tokenText(token)}`)
    }
    largest.set(what, token)
  }

  return {
    note(statuses) {
      for (const { path, shown } of statuses) {
        if (shown === undefined) continue
        // As a reader finds it: a status may still be of the revision before.
        const revision = realpathSync(join(path, "..data"))
        const manifest = JSON.parse(readFileSync(join(revision, "..", MANIFEST_NAME), "utf8")) as Manifest
        raise(`what ${path} shows`, manifest.token)
        const { latest, others } = Note.parse(
          JSON.parse(readFileSync(join(path, "..rev", NOTE_NAME), "utf8")),
        )
        for (const { source, token } of [...latest, ...others])
          raise(`the floor of ${source} at ${path}`, token)
        const place = path.slice(folder.length + 1)
        const commit = basename(revision)
        const target = expectedAt(commit)?.get(place)
        // It keeps its last good content, of whichever commit that was.
        if (target?.refused) continue
        const keys = target?.keys ?? new Map()
        if (!sameKeys(keys, filesOf(revision))) throw new Violation(`3: ${path} is not ${place} at ${commit}`)
      }
    },
    async missing(statuses) {
      const configMap = await cluster.direct.get(OWN_NAMESPACE, "release")
      if (configMap === undefined) return "there is no record"
      const { commit, token } = readRecord(configMap)
      if (commit === null) return undefined
      for (const place of placesAt(commit)) {
        const status = statuses.find(({ path }) => path === join(folder, place))
        if (status?.shown === undefined) return `${place} is not shown`
        if (compareTokens(status.shown.token, token) !== 0) {
          return `${place} is at ${tokenText(status.shown.token)}, not ${tokenText(token)}: ${status.problem?.message}`
        }
      }
      return undefined
    },
  }
}

/** Key to content. A revision's own files have names that no key can have. */
function filesOf(revision: string): Map<string, string> {
  const names = readdirSync(revision).filter((name) => !name.startsWith(".."))
  return new Map(names.map((name) => [name, readFileSync(join(revision, name), "utf8")]))
}
