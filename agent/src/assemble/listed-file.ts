import { z } from "zod"

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A file as its shard lists it, without its content. */
export const ListedFile = z.strictObject({
  /** In the ConfigMap. */
  key: z.string(),
  /** In the repository. */
  path: z.string(),
  executable: z.boolean(),
  size: z.int().min(0),
  sha256,
})
export type ListedFile = z.infer<typeof ListedFile>

/** A listed file and the digest of the shard that holds it. */
export interface StoredFile extends ListedFile {
  shard: string
}
