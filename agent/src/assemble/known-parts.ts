import { sha256 } from "@headrace/shared/foundation/digest"
import { z } from "zod"
import type { Manifest, ManifestFile } from "../store/manifest.ts"
import { Origin } from "../store/origin.ts"
import { openKnownFolder, readKnownFile, writeKnownFile } from "./known-file.ts"
import type { OriginPart } from "./origin-part.ts"
import type { ProjectedFile } from "./projected-files.ts"
import { waitsFor } from "./source.ts"

const FILE = "parts"
const FORMAT = 1

/** Which files of a shown revision are of which origin. */
const KnownParts = z.strictObject({
  format: z.literal(FORMAT),
  /** The revision that they are of. */
  number: z.int(),
  revision: z.string(),
  /** In the order of the manifest's files. */
  parts: z.array(
    z.strictObject({
      history: z.string(),
      origin: Origin,
      key: z.string(),
      hasCommits: z.boolean(),
      count: z.int().min(0),
      /** SHA-256 of its paths. */
      paths: z.string(),
    }),
  ),
})

/**
 * The parts of what is shown, by history, as an earlier run wrote them down; none unless they fit the manifest. Contents
 * that were lost on disk cannot be read from such a part.
 */
export async function readKnownParts(
  folder: string,
  manifest: Manifest | undefined,
  fileOf: (file: ManifestFile) => Pick<ProjectedFile, "path" | "mode" | "size" | "sha256">,
): Promise<Map<string, OriginPart>> {
  const parsed = KnownParts.safeParse(await readKnownFile(folder, FILE))
  if (manifest === undefined || !parsed.success) return new Map()
  const { number, revision, parts } = parsed.data
  if (number !== manifest.number || revision !== manifest.revision) return new Map()
  const found = new Map<string, OriginPart>()
  let start = 0
  for (const { history, origin, key, hasCommits, count, paths } of parts) {
    const files = manifest.files.slice(start, start + count)
    start += count
    if (pathsDigest(files) !== paths) return new Map()
    found.set(history, {
      source: origin.source,
      instance: origin.instance,
      history,
      key,
      revision: origin.revision,
      commit: hasCommits ? { id: origin.revision, token: origin.token } : undefined,
      files: files.map((file) => ({
        ...fileOf(file),
        origin: `what ${origin.source} gave last`,
        read: () => Promise.reject(contentLost(origin.source, file.path)),
      })),
      used: new Map(),
      shown: origin,
    })
  }
  return start === manifest.files.length ? found : new Map()
}

/** Writes down the parts of what is shown, in the order of its files. */
export async function writeKnownParts(
  folder: string,
  { number, revision }: { number: number; revision: string },
  parts: readonly (OriginPart & { shown: Origin })[],
): Promise<void> {
  const known: z.infer<typeof KnownParts> = {
    format: FORMAT,
    number,
    revision,
    parts: parts.map(({ history, shown, key, commit, files }) => ({
      history,
      origin: shown,
      key,
      hasCommits: commit !== undefined,
      count: files.length,
      paths: pathsDigest(files),
    })),
  }
  await openKnownFolder(folder)
  await writeKnownFile(folder, FILE, JSON.stringify(known))
}

function pathsDigest(files: readonly { path: string }[]): string {
  return sha256(JSON.stringify(files.map(({ path }) => path)))
}

function contentLost(source: string, path: string) {
  const why = `${JSON.stringify(path)} was damaged and only it has the content`
  return waitsFor(source, why, "It is repaired as soon as that origin can be read.")
}
