import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"

/** Which sources a change of a branch concerns. */
export interface ConcernedSources {
  /** False: no source is of that repository. */
  configured: boolean
  /** Sources that follow the branch, and those whose rules come from one that does. */
  sources: string[]
}

/** Repositories are compared as GitHub does, without regard to case; branches are not. */
export function sourcesOfChange(
  settings: Pick<OperatorSettings, "sources">,
  change: { repo: string; branch: string },
): ConcernedSources {
  const repo = change.repo.toLowerCase()
  const sources = Object.entries(settings.sources)
  const ofRepo = sources.filter(([, source]) => repoOfSource(source)?.toLowerCase() === repo)
  const moved = new Set(ofRepo.filter(([, source]) => source.branch === change.branch).map(([name]) => name))
  const concerned = sources.filter(
    ([name, { rules }]) => moved.has(name) || (typeof rules !== "string" && moved.has(rules.source)),
  )
  return { configured: ofRepo.length > 0, sources: concerned.map(([name]) => name) }
}
