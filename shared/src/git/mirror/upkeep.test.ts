import { randomBytes } from "node:crypto"
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../../observe/log.ts"
import { openMirror } from "../open-mirror.ts"
import { gatherPacks, maintainMirror, type UpkeepOptions } from "./upkeep.ts"

const log = createLog("test", { level: "silent" })

async function bytesBeneath(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** As if all files beneath a folder had been written that many milliseconds earlier. */
async function makeOlder(folder: string, milliseconds: number): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const { mtimeMs } = await stat(join(folder, name))
    const then = new Date(mtimeMs - milliseconds)
    await utimes(join(folder, name), then, then)
  }
}

describe("upkeep", () => {
  it("drops what a force push left behind, and packs the rest, while readers go on", () =>
    withRepo(async (repo) => {
      const begin = Promise.withResolvers<void>()
      async function whenAsked(...args: Parameters<typeof maintainMirror>): Promise<void> {
        await begin.promise
        await maintainMirror(...args)
      }
      const kept = await repo.commit({ small: "1" })
      const dropped = await repo.commit({ large: randomBytes(3_000_000) })
      const folder = join(repo.scratch, "mirrors")
      const upkeep = { quiet: 1, every: 0, pruneAfter: "now" }
      const options = { name: "m", url: repo.folder, branch: "main", folder, log }
      const mirror = await openMirror({ ...options, upkeep: { ...upkeep, maintain: whenAsked } })
      await mirror.fetch()
      await mirror.tree(dropped)
      await repo.forcePush(kept)
      await mirror.fetch()
      const place = join(folder, "m.git")
      expect(await bytesBeneath(place)).toBeGreaterThan(3_000_000)

      begin.resolve()

      await expect.poll(() => bytesBeneath(place)).toBeLessThan(200_000)
      expect(String(await mirror.file(kept, "small"))).toBe("1")
      await expect.poll(() => mirror.seqOf(dropped)).toBeUndefined()
      const next = await repo.commit({ small: "2" })
      expect(await mirror.fetch()).toEqual({ commit: next, seq: 3 })
      expect(String(await mirror.file(next, "small"))).toBe("2")
      await mirror.close()
    }))

  it("drops it in time although packs are joined in between", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
      const kept = await repo.commit({ small: "1" })
      await repo.commit({ large: randomBytes(3_000_000) })
      await mirror.fetch()
      await repo.forcePush(kept)
      await mirror.fetch()
      await mirror.close()
      const place = join(folder, "m.git")
      await makeOlder(join(place, "objects"), 30 * 60_000)

      await maintainMirror(place, { every: 0, pruneAfter: "60.minutes.ago" })
      await gatherPacks(place)
      expect(await bytesBeneath(place)).toBeGreaterThan(3_000_000)
      await maintainMirror(place, { every: 0, pruneAfter: "20.minutes.ago" })

      expect(await bytesBeneath(place)).toBeLessThan(200_000)
    }))

  it("begins by itself when no fetch runs, and gives way to the next one", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const upkeep = { quiet: 1, every: 0 }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      const note = () => readFile(join(folder, "m.git/headrace-tended"), "utf8")
      const before = await note()
      for (let round = 0; round < 10; round++) {
        const commit = await repo.commit({ a: String(round) })
        expect((await mirror.fetch()).commit).toBe(commit)
        expect(String(await mirror.file(commit, "a"))).toBe(String(round))
      }
      await expect.poll(note).not.toBe(before)
      await mirror.close()
    }))
})

describe("upkeep of a mirror that is fetched all the time", () => {
  it("has its turn all the same", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const upkeep = { quiet: 3_600_000, every: 0, most: 5 }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      const note = () => readFile(join(folder, "m.git/headrace-tended"), "utf8")
      const before = await note()
      for (let fetched = 0; fetched < 5; fetched++) await mirror.fetch()
      expect(await note()).toBe(before)
      await mirror.fetch()
      await expect.poll(note).not.toBe(before)
      await mirror.close()
    }))

  it("has few packs all the same, and everything in them", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const upkeep = { quiet: 3_600_000, gatherAfter: 4 }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      const commits: string[] = []
      for (let round = 0; round < 24; round++) {
        commits.push(await repo.commit({ a: String(round) }))
        expect((await mirror.fetch()).commit).toBe(commits.at(-1))
      }
      const packs = async () =>
        (await readdir(join(folder, "m.git/objects/pack"))).filter((name) => name.endsWith(".pack")).length

      await expect.poll(packs).toBeLessThan(12)
      for (const [round, commit] of commits.entries()) {
        expect(String(await mirror.file(commit, "a"))).toBe(String(round))
      }
      await mirror.close()
    }))

  it("never holds up a fetch, however long it takes, and ends with the mirror", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      let began = 0
      let ended = 0
      async function maintain(_place: string, _options?: UpkeepOptions, signal?: AbortSignal): Promise<void> {
        began++
        await new Promise((resolve) => signal?.addEventListener("abort", resolve))
        ended++
        signal?.throwIfAborted()
      }
      const upkeep = { quiet: 1, most: 1, maintain }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      for (let round = 0; round < 6; round++) {
        const commit = await repo.commit({ a: String(round) })
        expect((await mirror.fetch()).commit).toBe(commit)
        expect([began, ended]).toEqual([1, 0])
      }
      await mirror.close()
      expect([began, ended]).toEqual([1, 1])
    }))

  it("has another turn for what came while it ran, though no fetch follows", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const first = Promise.withResolvers<void>()
      let began = 0
      async function maintain(): Promise<void> {
        began++
        await first.promise
      }
      const upkeep = { quiet: 1, maintain }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      await repo.commit({ a: "1" })
      await mirror.fetch()
      await expect.poll(() => began).toBe(1)
      await mirror.fetch()
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(began).toBe(1)

      first.resolve()

      await expect.poll(() => began).toBe(2)
      await mirror.close()
    }))

  it("ends for a fetch that finds a lock, and for one that fetches a damaged mirror again", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      let ended = 0
      async function maintain(_place: string, _options?: UpkeepOptions, signal?: AbortSignal): Promise<void> {
        await new Promise((resolve) => signal?.addEventListener("abort", resolve))
        ended++
        signal?.throwIfAborted()
      }
      const upkeep = { quiet: 3_600_000, most: 1, maintain }
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log, upkeep })
      await repo.commit({ a: "1" })
      await mirror.fetch()
      await writeFile(join(folder, "m.git/refs/headrace/tip.lock"), "")
      const second = await repo.commit({ a: "2" })
      expect((await mirror.fetch()).commit).toBe(second)
      expect(ended).toBe(1)
      const pack = join(folder, "m.git/objects")
      await rm(pack, { recursive: true })
      const third = await repo.commit({ a: "3" })
      expect((await mirror.fetch()).commit).toBe(third)
      expect(ended).toBe(2)
      await mirror.close()
    }))
})

describe("two programs with one folder of mirrors", () => {
  it("each have a mirror of their own, and the first is taken over once it is free", () =>
    withRepo(async (repo) => {
      const options = {
        name: "m",
        url: repo.folder,
        branch: "main",
        folder: join(repo.scratch, "mirrors"),
        log,
      }
      const first = await openMirror(options)
      const second = await openMirror(options)
      expect(await first.fetch()).toEqual(await second.fetch())
      const folders = async () =>
        (await readdir(options.folder)).filter((name) => name.endsWith(".git")).sort()
      expect(await folders()).toEqual(["m-2.git", "m.git"])
      await first.close()
      const third = await openMirror(options)
      expect(await third.fetch()).toEqual(await second.fetch())
      expect(await folders()).toEqual(["m-2.git", "m.git"])
      await Promise.all([second.close(), third.close()])
      expect(await readdir(options.folder)).toEqual(["m-2.git", "m.git"])
    }))

  it("take over from an owner that ended, here or long ago on another host", () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      await mkdir(folder)
      const owners = [{ host: "elsewhere", pid: 1, started: "1" }, "half writ"]
      for (const owner of owners) {
        const file = join(folder, "m.git.owner")
        await writeFile(file, JSON.stringify(owner).slice(0, -1 + Number(typeof owner === "object")))
        const old = new Date(Date.now() - 3_600_000)
        await utimes(file, old, old)
        const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
        await mirror.fetch()
        await mirror.close()
        expect(await readdir(folder)).toEqual(["m.git"])
      }
    }))
})
