import { HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import { type BaseNameRule, checkBaseNames } from "./base-names.ts"
import type { Inputs } from "./inputs.ts"
import type { KnownObject } from "./known-objects.ts"
import { byHistory, type OriginPart, originPart } from "./origin-part.ts"
import { combineFiles, type ProjectedFile } from "./projected-files.ts"
import { isUnread, type ProjectionSource, type ShownDigest, type SourceFiles } from "./source.ts"

/** An origin whose newest content is not shown: it keeps its part of what was shown last. */
export interface HeldOrigin {
  /** Names it, for messages. */
  name: string
  part: OriginPart
  /** Why. */
  error: unknown
}

/** The files of a projection at one time. */
export interface AssembledProjection {
  /** Represents the content: equal keys, equal files. */
  key: string
  files: readonly ProjectedFile[]
  /** One for each history, in the order of the settings and of the files. */
  parts: readonly OriginPart[]
  /** The origins that keep an older part. */
  held: readonly HeldOrigin[]
  /** What is left out of it, and why: a sentence each. */
  warnings: readonly string[]
  used: ReadonlyMap<string, KnownObject>
}

export interface AssembleOptions {
  /** What was assembled before: its files are taken over when nothing of them changed. */
  previous?: AssembledProjection | undefined
  shown?: ShownDigest
  /**
   * The part of each history in what is shown, by the history. Where there is one, an origin among several that fails
   * keeps it; without it the projection waits.
   */
  last?: ReadonlyMap<string, OriginPart>
  /** True: one that was not read yet does not keep it, and is waited for. */
  awaitsUnread?: boolean
  /** Throws when a part must not be shown. */
  judge?(part: OriginPart, sources: readonly ProjectionSource[]): void
  uniqueBaseNames?: BaseNameRule | undefined
}

/**
 * Works out what a projection holds.
 *
 * Throws `projection/blocked` that names the source, with what is wrong as its cause, `projection/waits`,
 * `projection/same-path`, `projection/same-name`, and what `judge` throws.
 */
export async function assembleProjection(
  sources: readonly ProjectionSource[],
  inputs: Inputs,
  options: AssembleOptions = {},
): Promise<AssembledProjection> {
  const { previous, last = new Map(), shown, uniqueBaseNames = false } = options
  const histories = [...byHistory(sources)]

  async function offerOf([history, followers]: [string, ProjectionSource[]]): Promise<Offer> {
    try {
      const given = await Promise.all(followers.map((source) => assembleSource(source, inputs, shown)))
      const part = originPart(history, given)
      options.judge?.(part, followers)
      return { part, warnings: given.flatMap(({ warnings }) => warnings ?? []) }
    } catch (error) {
      const part = last.get(history)
      // One origin alone that keeps its part changes nothing.
      if (part === undefined || histories.length === 1) throw error
      if (options.awaitsUnread && isUnread(error)) throw error
      return { part, warnings: [], held: { name: followers[0]?.name ?? history, part, error } }
    }
  }

  const offers = await Promise.all(histories.map(offerOf))
  const all = offers.map(({ part }) => part)
  const assembled = {
    key: all.map(({ key }) => key).join(","),
    parts: all,
    held: offers.flatMap(({ held }) => held ?? []),
    warnings: offers.flatMap(({ warnings }) => warnings),
  }
  if (previous?.key === assembled.key) return { ...previous, ...assembled }
  const files = combineFiles(all.map((part) => part.files))
  checkBaseNames(files, uniqueBaseNames)
  return { ...assembled, files, used: new Map(all.flatMap(({ used }) => [...used])) }
}

/** What one history gives, or keeps. */
interface Offer {
  part: OriginPart
  warnings: readonly string[]
  held?: HeldOrigin
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
