import { z } from "zod"
import { canonicalJson } from "../foundation/canonical-json.ts"
import { errorText, HeadraceError } from "../foundation/errors.ts"
import { goesInParts, PART_BYTES, SHARD_FORMAT } from "./store-file.ts"

const digest = z.string().regex(/^[0-9a-f]{64}$/)

/** Kubernetes' rule for a ConfigMap's key: IsConfigMapKey in apimachinery's validation. */
const key = z
  .string()
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/)
  .refine((text) => text !== "." && !text.startsWith(".."), "starts with ..")

const path = z.string().refine(isInside, "is not a relative path without empty, . and .. parts")

const ListedFile = z
  .strictObject({
    key,
    path,
    executable: z.boolean(),
    gzip: z.boolean(),
    size: z.int().min(0),
    sha256: digest,
    /** Digests of the part objects, in order; for large files alone. */
    parts: z.array(digest).optional(),
  })
  .refine(
    (file) => (file.parts?.length ?? 0) === (goesInParts(file) ? Math.ceil(file.size / PART_BYTES) : 0),
    "has another number of parts than its size asks for",
  )

/** What `files.json` of a shard says: its files, in the order of the archive. */
const ShardListing = z.strictObject({ format: z.literal(SHARD_FORMAT), files: z.array(ListedFile) })
export type ListedFile = z.infer<typeof ListedFile>

export const LISTING_NAME = "files.json"

/** The listing as bytes, the same for the same files. */
export function writeListing(files: readonly ListedFile[]): Buffer {
  return Buffer.from(canonicalJson({ format: SHARD_FORMAT, files }))
}

/** Throws `bundle/bad-listing`, or `bundle/newer-format` for one of a later Headrace. */
export function readListing(content: Buffer): ListedFile[] {
  const { files } = parse(content)
  const keys = new Set(files.map((file) => file.key))
  if (keys.size !== files.length)
    throw new HeadraceError("bundle/duplicate-name", "the shard gives a key twice")
  return files
}

function parse(content: Buffer): z.infer<typeof ShardListing> {
  let value: unknown
  try {
    value = JSON.parse(content.toString("utf8"))
  } catch (cause) {
    throw new HeadraceError("bundle/bad-listing", "the shard's listing is not JSON", { cause })
  }
  const format = z.looseObject({ format: z.int() }).safeParse(value).data?.format
  if (format !== undefined && format > SHARD_FORMAT) {
    throw new HeadraceError(
      "bundle/newer-format",
      `the shard is of format ${format}, this version reads ${SHARD_FORMAT}`,
      {
        hint: "Update this program; what is in force stays.",
      },
    )
  }
  const parsed = ShardListing.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HeadraceError(
    "bundle/bad-listing",
    `the shard's listing is wrong at ${issue?.path.join(".")}: ${errorText(issue?.message)}`,
  )
}

function isInside(text: string): boolean {
  return !text.includes("\0") && !text.split("/").some((part) => part === "" || part === "." || part === "..")
}
