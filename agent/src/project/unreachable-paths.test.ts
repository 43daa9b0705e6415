import fs from "node:fs"
import { join } from "node:path"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { commitOf, NAMESPACE, SOURCE, writeRevision } from "@headrace/test/harness/write-revision"
import { afterEach, describe, expect, it } from "vitest"

const real = { lstatSync: fs.lstatSync, readlinkSync: fs.readlinkSync }
afterEach(() => void Object.assign(fs, real))

/** From now on these calls give an errno for paths that match, as a failing disk or a stale mount does. */
function breakPaths(match: RegExp, errno: string): { hits: number } {
  const count = { hits: 0 }
  function refuse(path: fs.PathLike): void {
    const at = String(path).replace(/^\/proc\/self\/fd\/\d+/, (fd) => real.readlinkSync(fd))
    if (!match.test(at)) return
    count.hits += 1
    throw Object.assign(new Error(`${errno}: lstat '${path}'`), { code: errno })
  }
  Object.assign(fs, {
    lstatSync(path: fs.PathLike, options: fs.StatSyncOptions) {
      refuse(path)
      return real.lstatSync(path, options)
    },
    readlinkSync(path: fs.PathLike, options: BufferEncoding) {
      refuse(path)
      return real.readlinkSync(path, options)
    },
  })
  return count
}

function settings(folder: string): string {
  const projection = (name: string) => `  ${name}:
    path: ${join(folder, name)}
    durability: none
    from: [{configMap: ci/jobs, names: paths}]
`
  return `version: 1
record: ${NAMESPACE}/${SOURCE}
projections:
${projection("first")}${projection("second")}`
}

const files = (text: string) => ({ "ci/jobs": { "d/x.yaml": text, "d/e/y.yaml": "y", top: "t" } })
const text = (folder: string, name: string) => fs.readFileSync(join(folder, name, "d/x.yaml"), "utf8")

/** Of the first projection: what it shows at first, then. */
const PLACES: { [what: string]: RegExp } = {
  "a file": /first\/\.\.rev\/0001\/\w+\/d\/x\.yaml$/,
  "a folder on the way": /first\/\.\.rev\/0001\/\w+\/d$/,
  "the revision's folder": /first\/\.\.rev\/0001\/\w+$/,
  "the slot and all beneath it": /first\/\.\.rev\/0001(\/|$)/,
  "a name beside the link": /first\/top$/,
  "the link itself": /first\/\.\.data$/,
  "the whole projection": /first(\/|$)/,
}

async function untilText(folder: string, name: string, wanted: string): Promise<void> {
  await expect.poll(() => text(folder, name), { timeout: 150_000 }).toBe(wanted)
}

describe("a path of one projection that cannot be examined", () => {
  const errnos = ["EACCES", "ESTALE", "ELOOP", "ENAMETOOLONG"].map((errno) => ["a file", errno] as const)
  it.each([...errnos, ...Object.keys(PLACES).map((place) => [place, "EIO"] as const)])(
    "(%s, %s) is named, ends no agent, keeps no other back, and is right again when it passes",
    async (place, errno) => {
      await withFolder(async (folder) => {
        const { kube } = createTestCluster()
        await writeRevision(kube, { seq: 1, targets: files("one") })
        await withAgent(
          kube,
          settings(folder),
          async (agent) => {
            await untilReady(agent)
            const broken = breakPaths(PLACES[place] ?? /^$/, errno)
            await expect.poll(() => broken.hits, { timeout: 150_000 }).toBeGreaterThan(0)
            await writeRevision(kube, { seq: 2, targets: files("two") })
            await untilText(folder, "second", "two")
            Object.assign(fs, real)
            await untilText(folder, "first", "two")
            await untilReady(agent)
            expect(agent.projections().map(({ shown }) => shown?.id)).toEqual([commitOf(2), commitOf(2)])
          },
          { lookEvery: 50 },
        )
      })
    },
  )

  it("is in the status while it lasts, with the path and the reason", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 1, targets: files("one") })
      await withAgent(
        kube,
        settings(folder),
        async (agent) => {
          await untilReady(agent)
          breakPaths(PLACES["the whole projection"] as RegExp, "EIO")
          await expect
            .poll(() => JSON.stringify(agent.projections()[0]), { timeout: 150_000 })
            .toMatch(/EIO|moved, removed/)
          expect(agent.projections()[0]?.current).toBe(false)
          expect(agent.projections()[1]?.current).toBe(true)
        },
        { lookEvery: 50 },
      )
    })
  })

  it("keeps no agent from starting, and none of its projections from opening", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 1, targets: files("one") })
      await withAgent(kube, settings(folder), untilReady)
      breakPaths(PLACES["the slot and all beneath it"] as RegExp, "EIO")
      await writeRevision(kube, { seq: 2, targets: files("two") })
      await withAgent(kube, settings(folder), async (agent) => {
        await untilText(folder, "second", "two")
        await untilText(folder, "first", "two")
        await untilReady(agent)
      })
    })
  })
})
