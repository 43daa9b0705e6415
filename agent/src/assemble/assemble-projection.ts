import { HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import type { SourceName } from "../store/origin.ts"
import type { Inputs } from "./inputs.ts"
import type { KnownObject } from "./known-objects.ts"
import { combineFiles, type ProjectedFile } from "./projected-files.ts"
import {
  type ProjectionSource,
  type ShownDigest,
  type SourceCommit,
  type SourceFiles,
  waitsFor,
} from "./source.ts"

/** One source of a projection at one time. */
export interface AssembledOrigin extends SourceName {
  /** Stands for its files. */
  key: string
  commit?: SourceCommit | undefined
}

/** The files of a projection at one time. */
export interface AssembledProjection {
  /** Stands for the content: equal keys, equal files. */
  key: string
  files: readonly ProjectedFile[]
  /** Each history once: those with commits first, in the order of the settings. */
  origins: readonly AssembledOrigin[]
  /** What is left out of it, and why: a sentence each. */
  warnings: readonly string[]
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
  shown?: ShownDigest,
): Promise<AssembledProjection> {
  const parts = await Promise.all(sources.map((source) => assembleSource(source, inputs, shown)))
  const key = parts.map((part) => part.key).join(",")
  const origins = originsOf(parts)
  const warnings = parts.flatMap((part) => part.warnings ?? [])
  if (previous?.key === key) return { ...previous, origins, warnings }
  return {
    key,
    files: combineFiles(parts.map((part) => part.files)),
    origins,
    warnings,
    used: new Map(parts.flatMap((part) => [...(part.used ?? [])])),
  }
}

/** Several selections of one history are one origin, and are shown at one commit. */
function originsOf(parts: readonly SourceFiles[]): AssembledOrigin[] {
  const origins = new Map<string, AssembledOrigin>()
  for (const { origin, key, commit } of parts) {
    const before = origins.get(origin.source)
    if (before?.commit?.id !== commit?.id && before !== undefined) {
      throw waitsFor(origin.source, "its selections are at two commits", "Wait for the next fetch.")
    }
    origins.set(origin.source, { ...origin, commit, key: before ? `${before.key},${key}` : key })
  }
  const all = [...origins.values()]
  return [...all.filter(({ commit }) => commit), ...all.filter(({ commit }) => !commit)]
}

async function assembleSource(
  source: ProjectionSource,
  inputs: Inputs,
  shown: ShownDigest | undefined,
): Promise<SourceFiles> {
  try {
    return await source.assemble(inputs, shown)
  } catch (cause) {
    if (hasCode(cause, "projection/")) throw cause
    throw new HeadraceError("projection/blocked", `waits for ${source.name}`, {
      hint: "Read the causes; it is tried again without help, and what is published stays.",
      fields: { source: source.name },
      cause,
    })
  }
}
