import { spawn } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "../publish/open-projection.ts"
import { withRevision } from "../read/with-revision.ts"
import { lockHolders } from "./lease-holders.ts"
import { withRetained } from "./open-retained.ts"
import { listRevisions } from "./revisions.ts"

const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal

/** A process that holds locks on some places until it is ended. */
async function stranger(kind: "-s" | "-x", places: readonly string[]): Promise<() => void> {
  const lines = places.map((place, at) => `exec ${at + 4}<"${place}"; flock ${kind} ${at + 4}`)
  const child = spawn("bash", ["-c", `${lines.join("; ")}; echo held; exec sleep 600`], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await new Promise((resolve) => child.stdout.once("data", resolve))
  return () => child.kill("SIGKILL")
}

function slots(path: string, layout: string): string[] {
  const store = layout === "links" ? join(path, "..rev") : join(path, "../.headrace-shown")
  return fs.readdirSync(store).filter((name) => /^\d{4}$/.test(name))
}

const keep = { revisions: 1, age: 0, bytes: 1e9 }

describe.each(["links", "exchange"] as const)(
  "a stranger's exclusive lock on a revision (layout %s)",
  (layout) => {
    it.each([
      ["its directory", false],
      ["its directory and its manifest", true],
    ])("on %s keeps no reader out, and is a lease like another", async (_what, locksManifest) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const projection = await openProjection(projectionOptions(path, { layout, keep }))
        await projection.publish(revisionOf(1, { a: "1" }))
        await projection.settled()
        const directory = layout === "links" ? fs.realpathSync(join(path, "..data")) : path
        const manifest =
          layout === "links" ? join(directory, "../manifest.json") : join(path, "..revision.json")
        const end = await stranger("-x", locksManifest ? [directory, manifest] : [directory])
        try {
          await withRevision(path, async (revision) => {
            expect(revision.id).toBe("c1")
            await projection.publish(revisionOf(2, { a: "2" }))
            await projection.settled()
            // Without the stranger it is the reader's lease that keeps the revision.
            end()
            await new Promise((resolve) => setTimeout(resolve, 300))
            await projection.publish(revisionOf(3, { a: "3" }))
            await projection.settled()
            expect(fs.readFileSync(join(revision.path, "a"), "utf8")).toBe("1")
            expect(slots(path, layout)).toEqual(["0001", "0003"])
          })
          await new Promise((resolve) => setTimeout(resolve, 200))
          await projection.publish(revisionOf(4, { a: "4" }))
          await projection.settled()
          expect(slots(path, layout)).toEqual(["0004"])
        } finally {
          end()
          await projection.close()
        }
      })
    })
  },
)

describe("a lease", () => {
  it("has an owner, which list shows", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { keep }))
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.close()
      const end = await stranger("-s", [fs.realpathSync(join(path, "..data"))])
      try {
        const [listed] = await withRetained({ path, log, signal }, listRevisions)
        expect(listed).toMatchObject({
          leased: true,
          holders: [{ pid: expect.any(Number), program: "sleep", kind: "shared" }],
        })
      } finally {
        end()
      }
    })
  })

  it("ends at its cap, a day after the revision was replaced unless settings say otherwise", async () => {
    await withFolder(async (folder) => {
      let now = Date.now()
      const clock = { now: () => now, sleep: async () => undefined }
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { keep, clock }))
      await projection.publish(revisionOf(1, { a: "1" }))
      await withRevision(path, async () => {
        now += 23 * 3_600_000
        await projection.publish(revisionOf(2, { a: "2" }))
        await projection.settled()
        expect(slots(path, "links")).toEqual(["0001", "0002"])
        now += 24 * 3_600_000
        await projection.publish(revisionOf(3, { a: "3" }))
        await projection.settled()
        expect(slots(path, "links")).toEqual(["0003"])
      })
      await projection.close()
    })
  })
})

it("names another user's process, whose files cannot be seen, when it took the lock itself", async () => {
  await withFolder(async (folder) => {
    const { dev, ino } = fs.statSync(folder)
    const device = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)]
    const at = [...device.map((part) => part.toString(16).padStart(2, "0")), ino].join(":")
    // As /proc is for this user: 11 and 12 are another's, 13 is ours and holds nothing, 14 has ended.
    const proc = join(folder, "proc")
    for (const pid of [11, 12]) {
      fs.mkdirSync(join(proc, `${pid}`), { recursive: true })
      fs.writeFileSync(join(proc, `${pid}/fd`), "not to be listed")
      fs.writeFileSync(join(proc, `${pid}/comm`), "reader\n")
    }
    fs.mkdirSync(join(proc, "13/fd"), { recursive: true })
    const line = (pid: number, place: string) => `1: FLOCK  ADVISORY  READ ${pid} ${place} 0 EOF\n`
    const lines = [line(11, at), line(12, "00:00:1"), line(13, at), line(14, at)]
    fs.writeFileSync(join(proc, "locks"), lines.join(""))
    expect(lockHolders(folder, proc)).toEqual([{ pid: 11, program: "reader", kind: "shared" }])
  })
})
