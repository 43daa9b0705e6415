import { join } from "node:path"
import type { Disk } from "@headrace/agent/disk/disk"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { type ProjectionOptions, projectionOptions } from "../harness/with-projection.ts"
import { lookAtProjection } from "./check-projection.ts"
import { expectSound } from "./expect-sound.ts"
import { FAILING_STEP, firstOperation, STEP } from "./operation-step.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { wrapDisk } from "./wrap-disk.ts"

const LAYOUTS = ["links", "exchange", "file"] as const

/** Operation `index` fails with an error of the system; the process lives on. */
async function failAt(
  path: string,
  index: number,
  options: ProjectionOptions,
): Promise<{ acked: number; failed: string | undefined }> {
  let count = 0
  let failed: string | undefined
  let acked = -1
  const real = openNodeDisk()
  const disk = wrapDisk(real, (operation) => {
    if (count++ !== index) return
    failed = operation.name
    throw Object.assign(new Error(`${operation.name} fails`), { code: "EIO" })
  })
  await publishAll(path, { ...options, disk }, (revision) => {
    acked = revisionsOf(options.layout).indexOf(revision)
  }).catch((error: unknown) => {
    if (failed === undefined) throw error
  })
  disk.die()
  return { acked, failed }
}

/** What a scenario does to a disk that works, by the names of operations. */
async function operationsOf(options: ProjectionOptions): Promise<string[]> {
  const names: string[] = []
  const disk = wrapDisk(openNodeDisk(), ({ name }) => void names.push(name))
  await withFolder((folder) => publishAll(join(folder, "shown"), { ...options, disk }, () => undefined))
  disk.die()
  return names
}

/** Kinds of operation, each of which has, somewhere, to keep a publish from being acknowledged. */
const KINDS = ["createFile", "write", "setMode", "close", "sync", "rename"]
/** A file that cannot be linked is written; the manifest in an exchanged folder has to be linked. */
const MORE_KINDS = { links: ["symlink"], exchange: ["exchange", "link"], file: ["setOwner"] }

describe.each(LAYOUTS)("failing at operations (layout %s)", (layout) => {
  it(`leaves what is published whole, acknowledges nothing that failed, and the next process goes on (every ${FAILING_STEP})`, async () => {
    const kinds = [...KINDS, ...MORE_KINDS[layout]]
    const unacknowledged = new Set<string>()
    for (const [index, name] of (await operationsOf({ layout })).entries()) {
      // Whichever operations the step meets, it must meet each kind where it counts.
      const isWanted = kinds.includes(name) && !unacknowledged.has(name)
      if (index % FAILING_STEP !== 0 && !isWanted) continue
      const failed = await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const { acked, failed } = await failAt(path, index, { layout })
        await expectSound(path, acked, `operation ${index} (${failed})`, { layout })
        if (failed && acked < revisionsOf(layout).length - 1) unacknowledged.add(failed)
        return failed
      })
      if (!failed) break
    }
    for (const kind of kinds) expect(unacknowledged).toContain(kind)
  })
})

describe.each(LAYOUTS)("failing at operations, and trying again (layout %s)", (layout) => {
  it(`shows the last revision, whole, from the same process (every ${STEP})`, async () => {
    const revisions = revisionsOf(layout)
    for (let index = firstOperation(layout); ; index += STEP) {
      const failed = await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const { disk, failed } = failOnce(index)
        const keep = { revisions: 1, age: 0, bytes: 2 ** 30 }
        const options = projectionOptions(path, { layout, disk, keep, durability: "fsync", lookEvery: 1 })
        const projection = await twice(() => openProjection(options))
        for (const revision of revisions) {
          await twice(() => projection.publish(revision))
          await projection.settled()
        }
        const at = `operation ${index} (${failed()})`
        expect(await lookAtProjection(path, revisions, { layout }), at).toBe(revisions.length - 1)
        await projection.close()
        await expectSound(path, revisions.length - 1, at, { layout })
        return failed()
      })
      if (!failed) break
    }
  })
})

/** A disk whose operation `index` fails. A close that fails has closed (man 2 close). */
function failOnce(index: number): { disk: Disk; failed(): string | undefined } {
  let count = 0
  let failed: string | undefined
  let failsClose = false
  const real = openNodeDisk()
  function fail(): never {
    throw Object.assign(new Error(`${failed} fails`), { code: "EIO" })
  }
  const closing: Disk = {
    ...real,
    close: (handle) => {
      real.close(handle)
      if (!failsClose) return
      failsClose = false
      fail()
    },
  }
  const disk = wrapDisk(closing, ({ name }) => {
    if (count++ !== index) return
    failed = name
    if (name === "close") failsClose = true
    else fail()
  })
  return { disk, failed: () => failed }
}

async function twice<T>(action: () => Promise<T>): Promise<T> {
  return await action().catch(action)
}
