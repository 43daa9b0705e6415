import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import { type Placing, placeFiles } from "./place-files.ts"
import { notReadYet, type ProjectionSource, waitsFor } from "./source.ts"

export interface GitSourceOptions extends Placing {
  /** Names its snapshot among the inputs. */
  id: string
  /** Names the history that it follows: the same for other selections of that history. */
  history: string
  /** True: a selection that matches nothing is shown as that, and an item that it lacks is left out. */
  optional?: boolean
}

/** A source that gives the files of a git branch, tag or commit, without record or store. */
export function createGitSource(options: GitSourceOptions): ProjectionSource {
  const { id, history, optional = false } = options
  const name = `git ${id}`
  return {
    name,
    history,
    isGuarded: true,
    async assemble(inputs) {
      const snapshot = inputs.git.get(id)
      if (snapshot === undefined) {
        const why = inputs.gitTroubles.get(id)
        if (why === undefined) throw notReadYet(name, "not fetched yet")
        throw waitsFor(name, why, "It is fetched again without help.")
      }
      const { commit, token, committedAt, files, mayGoBack, unknown } = snapshot
      if (snapshot.refusesUnknown && unknown.length > 0) throw incomplete(name, commit, unknown)
      if (files.length === 0 && !optional) {
        throw waitsFor(name, `commit ${commit.slice(0, 12)} has no file that is selected`, EMPTY_HINT)
      }
      return {
        key: commit,
        origin: { source: history, instance: null },
        commit: { id: commit, token, committedAt, mayGoBack, ownEpochs: true },
        ...placeFiles(files, name, options),
      }
    },
  }
}

const EMPTY_HINT = "Check paths and strip, or set optional: true; what is published stays."

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
