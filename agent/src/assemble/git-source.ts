import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import { pathUnder } from "./projected-files.ts"
import { isReserved } from "./reserved-names.ts"
import { notReadYet, type ProjectionSource, waitsFor } from "./source.ts"

export interface GitSourceOptions {
  /** Names its snapshot among the inputs. */
  id: string
  /** Names the history that it follows: the same for other selections of that history. */
  history: string
  under?: string | undefined
  /** Permission bits of all files; else by the executable bit. */
  mode?: number | undefined
  /** True: a selection that matches nothing is shown as that. */
  optional?: boolean
  /** First path elements that the projection keeps for itself. */
  reserved?: readonly string[]
}

/** A source that gives the files of a git branch, tag or commit, without record or store. */
export function createGitSource(options: GitSourceOptions): ProjectionSource {
  const { id, history, under, mode, optional = false, reserved = [] } = options
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
      const placed = files.map((file) => ({
        ...file,
        path: pathUnder(under, file.path),
        mode: mode ?? file.mode,
      }))
      const fits = placed.filter(({ path }) => !isReserved(path, reserved))
      const others = placed.filter(({ path }) => isReserved(path, reserved))
      return {
        key: commit,
        origin: { source: history, instance: null },
        commit: { id: commit, token, committedAt, mayGoBack, ownEpochs: true },
        files: fits,
        warnings: others.map(
          ({ path, origin }) => `${origin} is not shown: ${JSON.stringify(path)} is a name of Headrace's`,
        ),
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
