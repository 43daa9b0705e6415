import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision } from "@headrace/agent/store/revision"
import { type ProjectionOptions, projectionOptions, revisionOf } from "../harness/with-projection.ts"

/** Three revisions that between them keep, change, add, move and remove files, folders and visible links. */
export const REVISIONS: readonly Revision[] = [
  revisionOf(1, { a: "one", "d/b": "same", "d/c": "old", "gone/x": "bye" }),
  revisionOf(2, { a: "two", "d/b": "same", "d/n*": "#!", "e/f": "new", "moved/c": "old" }),
  revisionOf(3, { a: "three", "d/b": "same", e: "a file now" }),
]

/** The same for layout `file`. */
export const FILE_REVISIONS: readonly Revision[] = [
  revisionOf(1, { "tool*": "one" }),
  revisionOf(2, { "tool*": "two" }),
  revisionOf(3, { tool: "three" }),
]

export function revisionsOf(layout: ProjectionOptions["layout"]): readonly Revision[] {
  return layout === "file" ? FILE_REVISIONS : REVISIONS
}

/** Publishes all revisions, one kept, and reports each that has returned. */
export async function publishAll(
  path: string,
  options: ProjectionOptions,
  acknowledged: (revision: Revision) => void,
): Promise<void> {
  const projection = await openProjection(
    projectionOptions(path, {
      keep: { revisions: 1, age: 0, bytes: 2 ** 30 },
      durability: "fsync",
      ...options,
    }),
  )
  try {
    for (const revision of revisionsOf(options.layout)) {
      await projection.publish(revision)
      acknowledged(revision)
      await projection.settled()
    }
  } finally {
    await projection.close()
  }
}
