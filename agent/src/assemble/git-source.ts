import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import { pathUnder } from "./projected-files.ts"
import { type ProjectionSource, waitsFor } from "./source.ts"

export interface GitSourceOptions {
  /** Names its snapshot among the inputs. */
  id: string
  /** Names the history that it follows: the same for other selections of that history. */
  history: string
  under?: string | undefined
  /** Permission bits of all files; else by the executable bit. */
  mode?: number | undefined
}

/** A source that gives the files of a git branch, tag or commit, without record or store. */
export function createGitSource({ id, history, under, mode }: GitSourceOptions): ProjectionSource {
  const name = `git ${id}`
  return {
    name,
    async assemble(inputs) {
      const snapshot = inputs.git.get(id)
      if (snapshot === undefined) {
        const why = inputs.gitTroubles.get(id)
        throw waitsFor(name, why ?? "not fetched yet", "It is fetched again by itself.")
      }
      const { commit, token, files, mayGoBack, unknown } = snapshot
      if (snapshot.refusesUnknown && unknown.length > 0) throw incomplete(name, commit, unknown)
      return {
        key: commit,
        origin: { source: history, instance: null },
        commit: { id: commit, token, mayGoBack, ownEpochs: true },
        files: files.map((file) => ({
          ...file,
          path: pathUnder(under, file.path),
          mode: mode ?? file.mode,
        })),
      }
    },
  }
}

/** As many problems as a message names. */
const MOST_NAMED = 3

function incomplete(name: string, commit: string, problems: readonly Problem[]): HeadraceError {
  const named = problems.slice(0, MOST_NAMED).map(({ message, code }) => `${message} [${code}]`)
  const more = problems.length > MOST_NAMED ? `; ${problems.length - MOST_NAMED} more` : ""
  return new HeadraceError(
    "projection/incomplete",
    `commit ${commit.slice(0, 12)} of ${name} is not known whole: ${named.join("; ")}${more}`,
    { hint: "Fix it in the repository, narrow paths, or set unknownContent: leave-out." },
  )
}
