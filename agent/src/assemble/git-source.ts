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
      const { commit, token, files, mayGoBack } = snapshot
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
