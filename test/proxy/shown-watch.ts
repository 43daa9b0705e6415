import { readdirSync, readFileSync, realpathSync } from "node:fs"
import { basename, join } from "node:path"
import type { ProjectionStatus } from "@headrace/agent/report/projection-status"
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
  /** Notes what each projection shows. Throws a Violation: it went back, or is not one commit whole. */
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

  return {
    note(statuses) {
      for (const { path, shown } of statuses) {
        if (shown === undefined) continue
        const before = largest.get(path)
        if (before && compareTokens(shown.token, before) < 0) {
          throw new Violation(`2: ${path} went back from ${tokenText(before)} to ${tokenText(shown.token)}`)
        }
        largest.set(path, shown.token)
        const place = path.slice(folder.length + 1)
        // The link names the commit; a status may still be of the one before.
        const revision = realpathSync(join(path, "..data"))
        const commit = basename(revision)
        const keys = expectedAt(commit)?.get(place)?.keys ?? new Map()
        if (!sameKeys(keys, filesOf(revision))) throw new Violation(`3: ${path} is not ${place} at ${commit}`)
      }
    },
    async missing(statuses) {
      const configMap = await cluster.direct.get(OWN_NAMESPACE, "release")
      if (configMap === undefined) return "there is no record"
      const { commit, token } = readRecord(configMap)
      if (commit === null) return undefined
      for (const place of expectedAt(commit)?.keys() ?? []) {
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
