import type { SourceSettings } from "./operator-settings.ts"

const FORMS = [
  /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?[^/]+\/([^/]+\/[^/]+?)(?:\.git)?\/?$/,
  /^[^@/]+@[^:/]+:([^/]+\/[^/]+?)(?:\.git)?\/?$/,
]

/** ORG/NAME of a source: as its settings say, otherwise as its URL reads; undefined for a local path. */
export function repoOfSource(source: Pick<SourceSettings, "repo" | "url">): string | undefined {
  if (source.repo !== undefined) return source.repo
  for (const form of FORMS) {
    const repo = form.exec(source.url)?.[1]
    if (repo !== undefined) return repo
  }
  return undefined
}
