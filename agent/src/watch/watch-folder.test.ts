import { execFileSync } from "node:child_process"
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { systemClock } from "@headrace/shared/foundation/clock"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import type { FolderSnapshot } from "../assemble/inputs.ts"
import { openProjection } from "../publish/open-projection.ts"
import { createLatest } from "./latest.ts"
import { watchFolder } from "./watch-folder.ts"

const PATIENT = { interval: 20 }
const COMMIT = "3f9a1c".padEnd(40, "0")

interface Watched {
  /** Looks now, and gives what was given last: paths with contents, or why there is none. */
  now(): Promise<Record<string, string> | string | undefined>
  revision(): string | undefined
  /** How often something was given. */
  count(): number
}

async function withWatch(path: string, test: (watched: Watched) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const hurry = createLatest<true>()
  let found: FolderSnapshot | string | undefined
  let count = 0
  const watching = watchFolder(
    path,
    { clock: systemClock, hurry },
    (given) => {
      found = given
      count += 1
    },
    stop.signal,
  )
  try {
    await test({
      count: () => count,
      revision: () => (typeof found === "object" ? found.revision : undefined),
      async now() {
        hurry.set(true)
        if (found === undefined || typeof found === "string") return found
        const texts = found.files.map(async (file) => [file.path, String(await file.read())])
        return Object.fromEntries(await Promise.all(texts))
      },
    })
  } finally {
    stop.abort()
    await watching
  }
}

async function put(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}

async function lead(link: string, target: string): Promise<void> {
  await symlink(target, `${link}.tmp`)
  await rename(`${link}.tmp`, link)
}

describe("a folder that another program publishes", () => {
  it("is followed through its link, and named by the commit that the link leads to", async () => {
    await withFolder(async (folder) => {
      const link = join(folder, "current")
      await put(join(folder, COMMIT), { a: "1" })
      await lead(link, COMMIT)
      await withWatch(link, async ({ now, revision }) => {
        await expect.poll(now, PATIENT).toEqual({ a: "1" })
        expect(revision()).toBe(COMMIT)
        await put(join(folder, "next"), { a: "2", b: "2" })
        await lead(link, "next")
        await rm(join(folder, COMMIT), { recursive: true })
        await expect.poll(now, PATIENT).toEqual({ a: "2", b: "2" })
        expect(revision()).toBeUndefined()
        await rm(link)
        await expect.poll(now, PATIENT).toBe("it is not there")
        await lead(link, "next")
        await expect.poll(now, PATIENT).toEqual({ a: "2", b: "2" })
      })
    })
  })

  it("is followed through ..data of a mount, as the kubelet moves it", async () => {
    await withFolder(async (folder) => {
      const mount = join(folder, "mount")
      await put(join(mount, "..1"), { a: "1" })
      await lead(join(mount, "..data"), "..1")
      await symlink("..data/a", join(mount, "a"))
      await withWatch(mount, async ({ now }) => {
        await expect.poll(now, PATIENT).toEqual({ a: "1" })
        await put(join(mount, "..2"), { a: "2" })
        await lead(join(mount, "..data"), "..2")
        await rm(join(mount, "..1"), { recursive: true })
        await expect.poll(now, PATIENT).toEqual({ a: "2" })
      })
    })
  })

  it.each(["links", "exchange"] as const)("is a projection of another agent in layout %s", async (layout) => {
    await withFolder(async (folder) => {
      const path = join(folder, "theirs")
      const theirs = await openProjection(projectionOptions(path, { layout, durability: "none" }))
      try {
        await theirs.publish(revisionOf(1, { a: "1" }))
        await withWatch(path, async ({ now }) => {
          await expect.poll(now, PATIENT).toEqual({ a: "1" })
          await theirs.publish(revisionOf(2, { a: "2", "d/b": "2" }))
          await expect.poll(now, PATIENT).toEqual({ a: "2", "d/b": "2" })
        })
      } finally {
        await theirs.close()
      }
    })
  })

  it("is given once it rests when it is written in place, and not again while nothing changes", async () => {
    await withFolder(async (folder) => {
      const place = join(folder, "place")
      await put(place, { a: "1" })
      await withWatch(place, async ({ now, count }) => {
        await expect.poll(now, PATIENT).toEqual({ a: "1" })
        for (let looks = 0; looks < 20; looks += 1) await now()
        expect(count()).toBe(1)
      })
    })
  })

  it("is refused by name for what is no part of it", async () => {
    await withFolder(async (folder) => {
      const [place, secret] = [join(folder, "place"), join(folder, "secret")]
      await put(place, { a: "1" })
      await writeFile(secret, "of root")
      await symlink(secret, join(place, "out"))
      await withWatch(place, async ({ now }) => {
        await expect.poll(now, PATIENT).toBe('"out" is a link that leads outside of the folder')
        await rm(join(place, "out"))
        await symlink("nothing", join(place, "dangling"))
        await expect.poll(now, PATIENT).toMatch(/^"dangling" is a dangling link/)
        await rm(join(place, "dangling"))
        execFileSync("mkfifo", [join(place, "pipe")])
        await expect.poll(now, PATIENT).toBe('"pipe" is neither a file nor a folder')
        await rm(join(place, "pipe"))
        await writeFile(Buffer.concat([Buffer.from(join(place, "n")), Buffer.from([0xff])]), "")
        await expect.poll(now, PATIENT).toMatch(/has a name that is not UTF-8$/)
      })
    })
  })

  it("gives no content that has changed since, and none from behind a link that took a folder's place", async () => {
    await withFolder(async (folder) => {
      const root = join(folder, "root")
      await put(join(root, "d"), { a: "public" })
      await put(join(folder, "secret"), { a: "secret" })
      await lead(join(folder, "link"), "root")
      let snapshot: FolderSnapshot | undefined
      const stop = new AbortController()
      const watching = watchFolder(
        join(folder, "link"),
        { clock: systemClock },
        (given) => {
          if (typeof given === "object") snapshot = given
          stop.abort()
        },
        stop.signal,
      )
      await watching
      const [file] = snapshot?.files ?? []
      expect(String(await file?.read())).toBe("public")
      await rename(join(root, "d"), join(root, "e"))
      await symlink(join(folder, "secret"), join(root, "d"))
      await expect(file?.read()).rejects.toMatchObject({ code: "projection/folder" })
    })
  })
})

it("reports the bytes that it read, for digests and for the disk, so that memory can be given back", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "one"), { a: "x".repeat(1000), b: "y".repeat(500) })
    await lead(join(folder, "current"), "one")
    const stop = new AbortController()
    const read: number[] = []
    const ports = { clock: systemClock, onRead: (bytes: number) => read.push(bytes) }
    const { promise, resolve } = Promise.withResolvers<FolderSnapshot | string>()
    const watching = watchFolder(join(folder, "current"), ports, resolve, stop.signal)
    const found = await promise
    if (typeof found === "string") throw new Error(found)
    expect(read).toEqual([1000, 500])
    for (const file of found.files) await file.read()
    expect(read).toEqual([1000, 500, 1000, 500])
    stop.abort()
    await watching
  })
})
