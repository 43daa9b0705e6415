import fs from "node:fs"
import { join } from "node:path"
import { type OpenProjection, openProjection } from "@headrace/agent/publish/open-projection"
import { expect } from "vitest"
import { withFolder } from "./with-folder.ts"
import { type ProjectionOptions, projectionOptions, revisionOf } from "./with-projection.ts"

/** What is shown before the damage. */
export const FILES = { a: "1", "d/b": "2" }

/** A projection that shows FILES as c1, closed; then `damage`; then opened again for `action`. */
export async function afterDamage(
  damage: (path: string) => void,
  action: (open: () => Promise<OpenProjection>, path: string) => Promise<void>,
  options: ProjectionOptions = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const first = await openProjection(projectionOptions(path))
    await first.publish(revisionOf(1, FILES))
    await first.close()
    damage(path)
    const opened: OpenProjection[] = []
    try {
      await action(async () => {
        const projection = await openProjection(projectionOptions(path, options))
        opened.push(projection)
        return projection
      }, path)
    } finally {
      for (const projection of opened) await projection.close()
    }
  })
}

/** Publishes another revision, which has to show. */
export async function publishNext(projection: OpenProjection, path: string): Promise<void> {
  await projection.publish(revisionOf(2, { a: "next", "d/b": "2" }))
  await projection.settled()
  expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("next")
}
