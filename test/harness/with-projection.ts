import { join } from "node:path"
import type { OpenProjectionOptions } from "@headrace/agent/publish/claim-projection"
import { type OpenProjection, openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision } from "@headrace/agent/store/revision"
import { sha256 } from "@headrace/shared/foundation/digest"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "./with-folder.ts"

export type ProjectionOptions = Partial<OpenProjectionOptions>

/** One for all: tests that open thousands of projections took a tenth of their time to make logs. */
const silent = createLog("test", { level: "silent" })

/** Options for a projection in `path`: no retention but the count, no waiting, nothing logged. */
export function projectionOptions(path: string, options: ProjectionOptions = {}): OpenProjectionOptions {
  return {
    path,
    layout: "links",
    durability: "none",
    keep: { revisions: 3, age: 0, bytes: 2 ** 30 },
    lockWait: 0,
    notifyAfter: 0,
    log: silent,
    ...options,
  }
}

/** Runs `action` with an open projection at FOLDER/shown, in a folder of its own. */
export async function withProjection<T>(
  options: ProjectionOptions,
  action: (projection: OpenProjection, path: string) => Promise<T>,
): Promise<T> {
  return await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path, options))
    try {
      return await action(projection, path)
    } finally {
      await projection.close()
    }
  })
}

/** A revision from texts by path; a path that ends with `*` is executable. `seq` is its token's and its id's. */
export function revisionOf(seq: number, files: Record<string, string>): Revision {
  return {
    id: `c${seq}`,
    token: { epoch: 0, seq },
    files: Object.entries(files).map(([path, text]) => {
      const content = Buffer.from(text)
      return {
        path: path.replace(/\*$/, ""),
        mode: path.endsWith("*") ? 0o555 : 0o444,
        size: content.length,
        sha256: sha256(content),
        read: async () => content,
      }
    }),
  }
}
