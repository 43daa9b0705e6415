import fs from "node:fs"
import { join } from "node:path"
import { revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { afterEach, expect, it, vi } from "vitest"
import { openNodeDisk } from "../disk/node-disk.ts"

const keep = { revisions: 1, age: 0, bytes: 1e9 }
afterEach(() => vi.useRealTimers())

it("a publish does not wait until all of a large revision is removed, however long nothing was published", async () => {
  vi.useFakeTimers({ toFake: ["performance"] })
  const disk = openNodeDisk()
  const isUnderWay = Promise.withResolvers<void>()
  let removed = 0
  function unlink(path: string): void {
    removed += 1
    if (removed > 100) isUnderWay.resolve()
    disk.unlink(path)
  }
  await withProjection({ keep, disk: { ...disk, unlink }, prestage: false }, async (projection) => {
    const names = Array.from({ length: 3000 }, (_, number) => `d/${number}`)
    await projection.publish(revisionOf(1, Object.fromEntries(names.map((name) => [name, "x"]))))
    await projection.settled()
    vi.advanceTimersByTime(60_000)
    removed = 0
    await projection.publish(revisionOf(2, { a: "2" }))
    await isUnderWay.promise

    await projection.publish(revisionOf(3, { a: "3" }))

    expect(removed).toBeLessThan(2000)
    await projection.settled()
    expect(removed).toBeGreaterThan(3000)
  })
})

it("old revisions go although there is no room for a clone", async () => {
  const disk = openNodeDisk()
  let isFull = false
  function makeDirectory(place: string, mode: number): void {
    if (isFull) throw Object.assign(new Error("no room"), { code: "ENOSPC" })
    disk.makeDirectory(place, mode)
  }
  await withProjection({ keep, disk: { ...disk, makeDirectory } }, async (projection, path) => {
    await projection.publish(revisionOf(1, { a: "1" }))
    await projection.settled()
    await projection.publish(revisionOf(2, { a: "2" }))
    isFull = true
    await projection.settled()

    expect(fs.readdirSync(join(path, "..rev")).sort()).toEqual(["0002", "published.json"])
  })
})
