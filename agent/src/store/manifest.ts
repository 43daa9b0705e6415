import { HeadraceError } from "@headrace/shared/foundation/errors"
import { parseJson } from "@headrace/shared/foundation/parse-json"
import { Token } from "@headrace/shared/record/record"
import { z } from "zod"
import { isRevisionId, pathFault } from "../disk/check-paths.ts"
import { Origin, unnamedOrigin } from "./origin.ts"

/** The format that this version writes; it reads this one and its predecessor's. */
export const MANIFEST_FORMAT = 2

const ManifestFile = z.strictObject({
  /** Beneath the revision's directory: what is read there, linked, touched and removed is at this path. */
  path: z.string().refine((path) => pathFault(path, []) === undefined, "expected a path of a revision"),
  mode: z.int(),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Inode and modification time (milliseconds) when the content was last known to be right, as in git's index. */
  inode: z.number(),
  modified: z.number(),
})
export type ManifestFile = z.infer<typeof ManifestFile>

const members = {
  revision: z.string().refine(isRevisionId, "expected the id of a revision"),
  number: z.int().min(1),
  /** Its first origin's. */
  token: Token,
  /** ISO time of staging. */
  created: z.string(),
  files: z.array(ManifestFile),
}

const ManifestNow = z.strictObject({
  ...members,
  format: z.literal(MANIFEST_FORMAT),
  origins: z.array(Origin).min(1),
})
export type Manifest = z.infer<typeof ManifestNow>

/** Format 1 named no sources. */
const ManifestBefore = z.strictObject({ ...members, format: z.literal(1) }).transform(
  (before): Manifest => ({
    ...before,
    format: MANIFEST_FORMAT,
    origins: [unnamedOrigin(before.revision, before.token)],
  }),
)

/** What a published directory holds; it lies beside it (inside it in layout `exchange`). */
export const Manifest = z.union([ManifestNow, ManifestBefore])

/** Files whose lines are kept together. */
const BLOCK = 128
const SEPARATOR = Buffer.from(",\n")

/** Lines of files that follow each other, kept with the first of them. */
const blocks = new WeakMap<ManifestFile, { files: readonly ManifestFile[]; lines: Buffer }>()

/**
 * The manifest as JSON with a line for each file. Of 5,000 files only one is new in the usual publish, so lines are
 * kept, as bytes, while their entries stay the same objects.
 */
export function manifestBytes(manifest: Manifest): Buffer {
  const { files, ...head } = manifest
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"files":[\n`)]
  for (let start = 0; start < files.length; start += BLOCK) {
    if (start > 0) parts.push(SEPARATOR)
    parts.push(linesOf(files.slice(start, start + BLOCK)))
  }
  parts.push(Buffer.from("\n]}\n"))
  return Buffer.concat(parts)
}

function linesOf(files: readonly ManifestFile[]): Buffer {
  const [first] = files
  const kept = first && blocks.get(first)
  if (kept?.files.length === files.length && kept.files.every((file, index) => file === files[index])) {
    return kept.lines
  }
  const lines = Buffer.from(files.map((file) => JSON.stringify(file)).join(",\n"))
  if (first) blocks.set(first, { files, lines })
  return lines
}

/** Reads a manifest. Throws `publish/newer-format`, or `publish/bad-manifest` for anything that is none. */
export function parseManifest(text: string, path: string): Manifest {
  const parsed = Manifest.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const format = formatOf(text)
  if (format !== undefined && format > MANIFEST_FORMAT) {
    throw new HeadraceError(
      "publish/newer-format",
      `${path} has format ${format}, newer than ${MANIFEST_FORMAT}`,
      {
        hint: "Run the version that wrote it, or a later one; what is published stays.",
      },
    )
  }
  throw new HeadraceError("publish/bad-manifest", `${path} is no manifest`, { cause: parsed.error })
}

/** The `format` member, whatever else the text holds; undefined when there is none. */
export function formatOf(text: string): number | undefined {
  const value = parseJson(text)
  if (typeof value !== "object" || value === null || !("format" in value)) return undefined
  return typeof value.format === "number" ? value.format : undefined
}
