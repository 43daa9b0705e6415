import { HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import type { Inputs } from "./inputs.ts"
import type { KnownObject } from "./known-objects.ts"
import { combineFiles, type ProjectedFile } from "./projected-files.ts"
import type { ProjectionSource, SourceCommit, SourceFiles } from "./source.ts"

/** The files of a projection at one time. */
export interface AssembledProjection {
  /** Stands for the content: equal keys, equal files. */
  key: string
  files: readonly ProjectedFile[]
  /** Of the first source that has a commit; undefined when none has. */
  commit: SourceCommit | undefined
  used: ReadonlyMap<string, KnownObject>
}

/**
 * Works out what a projection holds. The files of `previous` are taken over when nothing of them changed.
 *
 * Throws `projection/blocked` that names the source, with what is wrong as its cause, `projection/waits` and
 * `projection/same-path`.
 */
export async function assembleProjection(
  sources: readonly ProjectionSource[],
  inputs: Inputs,
  previous: AssembledProjection | undefined,
): Promise<AssembledProjection> {
  const parts = await Promise.all(sources.map((source) => assembleSource(source, inputs)))
  const key = parts.map((part) => part.key).join(",")
  const commit = parts.find((part) => part.commit !== undefined)?.commit
  if (previous?.key === key) return { ...previous, commit }
  return {
    key,
    files: combineFiles(parts.map((part) => part.files)),
    commit,
    used: new Map(parts.flatMap((part) => [...(part.used ?? [])])),
  }
}

async function assembleSource(source: ProjectionSource, inputs: Inputs): Promise<SourceFiles> {
  try {
    return await source.assemble(inputs)
  } catch (cause) {
    if (hasCode(cause, "projection/")) throw cause
    throw new HeadraceError("projection/blocked", `waits for ${source.name}`, {
      hint: "Read the causes; it is tried again without help, and what is published stays.",
      fields: { source: source.name },
      cause,
    })
  }
}
