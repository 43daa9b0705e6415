import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { AssembledProjection } from "../assemble/assemble-projection.ts"
import { readKnownParts, writeKnownParts } from "../assemble/known-parts.ts"
import type { OriginPart } from "../assemble/origin-part.ts"
import type { OpenProjection } from "../publish/open-projection.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { Origin } from "../store/origin.ts"
import { type Permissions, READ_ONLY } from "../store/permissions.ts"

/** The part of each history in what is shown, by the history: what an origin that fails keeps. */
export interface LastParts {
  /** Empty where it is not known which file is of which origin. */
  current(): ReadonlyMap<string, OriginPart>
  /** Takes in what an earlier run wrote down of what is shown. */
  read(shown: ReturnType<OpenProjection["current"]>): Promise<void>
  /** Takes in what is shown now. */
  shown(parts: AssembledProjection["parts"], origins: readonly Origin[]): void
  /** Writes it down for the next run. Only a cache: without it an origin that fails at a start is waited for. */
  write(shown: { id: string; number: number }): Promise<void>
}

/** `folder` is where to write it down. */
export function createLastParts(
  folder: string,
  given: Partial<Permissions> | undefined,
  log: Log,
): LastParts {
  const permissions = { ...READ_ONLY, ...given }
  let last: ReadonlyMap<string, OriginPart & { shown: Origin }> = new Map()
  let current: ReadonlyMap<string, OriginPart> = last
  let written = ""

  return {
    current: () => current,
    async read(shown) {
      current = await readKnownParts(folder, shown?.manifest, (file) => asGiven(file, permissions))
    },
    shown(parts, origins) {
      const bySource = new Map(origins.map((origin) => [origin.source, origin]))
      last = new Map(
        parts.flatMap((part) => {
          const origin = bySource.get(part.source)
          return origin === undefined ? [] : [[part.history, { ...part, shown: origin }] as const]
        }),
      )
      current = last
    },
    async write({ id, number }) {
      const parts = [...last.values()]
      const text = [number, id, ...parts.map(({ key }) => key)].join(" ")
      // One origin alone is whatever is shown.
      if (parts.length < 2 || text === written) return
      written = text
      await writeKnownParts(folder, { number, revision: id }, parts).catch((error: unknown) => {
        log.warn({ err: errorText(error) }, "cannot write down which files are of which origin")
      })
    },
  }
}

/** A published file with the mode that its source gave it. */
function asGiven({ path, mode, size, sha256 }: ManifestFile, permissions: Permissions) {
  const isPlain = mode === permissions.file
  const given = isPlain ? READ_ONLY.file : mode === permissions.executable ? READ_ONLY.executable : mode
  return { path, mode: given, size, sha256 }
}
