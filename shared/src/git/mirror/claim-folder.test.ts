import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import os, { hostname } from "node:os"
import { basename, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { withFolder } from "@headrace/test/harness/with-folder"
import { afterEach, describe, expect, it, vi } from "vitest"
import { claimFolder } from "./claim-folder.ts"

/** What this process takes its host name for: named imports follow (node:module, syncBuiltinESMExports). */
function beOn(name: string): void {
  vi.spyOn(os, "hostname").mockReturnValue(name)
  syncBuiltinESMExports()
}

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

/** Claims as a program of another host. */
function claimOn(name: string, folder: string): ReturnType<typeof claimFolder> {
  beOn(name)
  return claimFolder(folder, "m")
}

const AT_ONCE = 6
const ROUNDS = 30

/** The places that programs get which start at almost the same time. */
async function claimAtOnce(folder: string): Promise<string[]> {
  const starts = Array.from({ length: AT_ONCE }, async () => {
    await delay(Math.random() * 3)
    return claimFolder(folder, "m")
  })
  const claims = await Promise.all(starts)
  await Promise.all(claims.map((claim) => claim.release()))
  return claims.map(({ place }) => place)
}

describe("claimFolder", () => {
  it.each([
    ["nobody's", async () => undefined],
    ["a dead one's", (folder: string) => writeFile(join(folder, "m.git.owner"), "half writ")],
  ])("gives programs that start at once a folder each, where the first is %s", (_, prepare) =>
    withFolder(async (folder) => {
      for (let round = 0; round < ROUNDS; round++) {
        await prepare(folder)
        const places = await claimAtOnce(folder)
        expect([round, new Set(places).size]).toEqual([round, AT_ONCE])
      }
      await prepare(folder)
      const claim = await claimFolder(folder, "m")
      expect(claim.place).toBe(join(folder, "m.git"))
      await claim.release()
    }),
  )

  const LIVE: { [what: string]: (file: string) => Promise<void> } = {
    "in another container with the same host name": (file) =>
      writeFile(file, JSON.stringify({ host: hostname(), pid: 1, started: "4711" })),
    "of another version, whose file has more members": (file) =>
      writeFile(file, JSON.stringify({ format: 2, host: hostname(), pid: 1, started: "4711", node: "a" })),
    // As a file of another user's that may not be read: a folder cannot be read either, also by root.
    "whose file cannot be read": async (file) => void (await mkdir(file)),
  }

  it.each(Object.entries(LIVE))("leaves a mirror to a live program %s, until that falls silent", (_, write) =>
    withFolder(async (folder) => {
      const file = join(folder, "m.git.owner")
      await write(file)
      const claims = [await claimFolder(folder, "m"), await claimFolder(folder, "m")]
      expect(claims.map(({ place }) => basename(place))).toEqual(["m-2.git", "m-3.git"])

      const long = new Date(Date.now() - 600_000)
      await utimes(file, long, long)
      const taken = await claimFolder(folder, "m")
      expect(basename(taken.place)).toBe("m.git")
      for (const claim of [...claims, taken]) await claim.release()
    }),
  )

  it("takes over from a process of its own container that ended, however fresh its heartbeat", () =>
    withFolder(async (folder) => {
      const claim = await claimFolder(folder, "m")
      const file = join(folder, "m.git.owner")
      const owner = JSON.parse(await readFile(file, "utf8"))
      await writeFile(file, JSON.stringify({ ...owner, started: "1" }))
      const next = await claimFolder(folder, "m")
      expect(basename(next.place)).toBe("m.git")
      for (const each of [claim, next]) await each.release()
    }))

  it("takes over, by the second program, what one that died meanwhile was taking over", () =>
    withFolder(async (folder) => {
      for (const name of ["m.git.owner", "m.git.owner.takeover"]) await writeFile(join(folder, name), "half")
      const claims = [await claimFolder(folder, "m"), await claimFolder(folder, "m")]
      expect(claims.map(({ place }) => basename(place))).toEqual(["m-2.git", "m.git"])
      for (const claim of claims) await claim.release()
    }))

  it("leaves a mirror to a live program of a host whose clock is minutes behind", () =>
    withFolder(async (folder) => {
      vi.useFakeTimers({ now: Date.now() - 600_000, toFake: ["Date", "setInterval", "clearInterval"] })
      const claim = await claimOn("behind", folder)
      vi.advanceTimersByTime(10_000)
      await delay(100)
      vi.useRealTimers()
      const other = await claimOn("there", folder)
      expect(basename(other.place)).toBe("m-2.git")
      for (const each of [claim, other]) await each.release()
    }))

  it("leaves the file of a program that has taken over alone, once one that was stopped for minutes goes on", () =>
    withFolder(async (folder) => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
      const stopped = await claimOn("stopped", folder)
      const file = join(folder, "m.git.owner")
      const long = new Date(Date.now() - 600_000)
      await utimes(file, long, long)
      const next = await claimOn("there", folder)
      expect(basename(next.place)).toBe("m.git")
      await stopped.release()
      const third = await claimOn("elsewhere", folder)
      expect(basename(third.place)).toBe("m-2.git")
      for (const each of [next, third]) await each.release()
      expect(await readdir(folder)).toEqual([])
    }))
})
