import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { mirrorContents, withMirror } from "@headrace/test/harness/with-mirror"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { openMirror } from "./open-mirror.ts"

const log = createLog("test", { level: "silent" })

interface Damage {
  what: string
  break(place: string): Promise<unknown>
}

const DAMAGES: Damage[] = [
  { what: "a truncated pack", break: async (place) => truncate(await onePack(place), 100) },
  {
    what: "a pack without its index",
    break: async (place) => rm((await onePack(place)).replace(/pack$/, "idx")),
  },
  { what: "no pack", break: (place) => rm(join(place, "objects/pack"), { recursive: true }) },
  { what: "no objects", break: (place) => rm(join(place, "objects"), { recursive: true }) },
  {
    what: "what a killed fetch left",
    break: (place) => writeFile(join(place, "objects/pack/tmp_pack_x"), Buffer.alloc(1000)),
  },
  { what: "leftover locks", break: lockAll },
  { what: "no HEAD", break: (place) => rm(join(place, "HEAD")) },
  { what: "an empty HEAD", break: (place) => writeFile(join(place, "HEAD"), "") },
  { what: "a half-written identity", break: (place) => writeFile(join(place, "headrace.json"), '{"for') },
  { what: "a config that does not read", break: (place) => writeFile(join(place, "config"), "[core\nx") },
  { what: "a ref of nothing", break: (place) => writeRef(place, `${"1".repeat(40)}\n`) },
  { what: "an empty ref", break: (place) => writeRef(place, "") },
  { what: "a truncated ref", break: (place) => writeRef(place, "12345678") },
  {
    what: "packed refs cut off",
    break: (place) => writeFile(join(place, "packed-refs"), "# pack-refs\n1234"),
  },
  {
    what: "a history cut off",
    break: async (place) => writeFile(join(place, "shallow"), await tipOf(place)),
  },
]
/** What is noticed at the next start alone: nothing that we do while it is open would touch it. */
const AT_START = new Set(["what a killed fetch left", "a half-written identity", "a history cut off"])

it("that is new is not taken for damaged while its first fetch is under way", () =>
  withRepo((repo) =>
    withFolder(async (folder) => {
      const commit = await repo.commit({ a: "1" })
      const said: string[] = []
      const warns = createLog("test", { level: "warn", destination: { write: (line) => said.push(line) } })
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log: warns })
      try {
        const [tip, file] = await Promise.all([mirror.fetch(), mirror.file(commit, "a")])
        expect([tip.commit, file?.toString()]).toEqual([commit, "1"])
        expect(said).toEqual([])
      } finally {
        await mirror.close()
      }
    }),
  ))

it("drops the mark by which a killed fetch kept its pack, so that upkeep can join it", () =>
  withMirror(async (mirror, repo, folder) => {
    await fillPack(repo)
    await mirror.fetch()
    await mirror.close()
    const mark = (await onePack(join(folder, "m.git"))).replace(/pack$/, "keep")
    await writeFile(mark, "fetch-pack 7 on node\n")

    const again = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })

    await again.close()
    expect(await readdir(join(folder, "m.git/objects/pack"))).not.toContain(basename(mark))
  }))

describe.concurrent("a damaged mirror", () => {
  it.each(DAMAGES)("with $what is whole again after it is opened", (damage) =>
    withMirror(async (mirror, repo, folder) => {
      await fillPack(repo)
      const before = await mirror.fetch()
      await mirror.close()
      await damage.break(join(folder, "m.git"))
      const again = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
      try {
        expect(await again.fetch()).toEqual(before)
        expect(Object.keys(await mirrorContents(again, before.commit))).toHaveLength(150)
        expect(await readdir(folder)).toEqual(["m.git", "m.git.owner"])
      } finally {
        await again.close()
      }
    }),
  )

  const live = DAMAGES.filter(({ what }) => !AT_START.has(what))
  it.each(live)("that gets $what while it is open is whole again with the next fetch", (damage) =>
    withMirror(async (mirror, repo, folder) => {
      await fillPack(repo)
      const { seq } = await mirror.fetch()
      await damage.break(join(folder, "m.git"))
      const commit = await repo.commit({ more: "1" })
      expect(await mirror.fetch()).toEqual({ commit, seq: seq + 1 })
      expect(Object.keys(await mirrorContents(mirror, commit))).toHaveLength(151)
    }),
  )

  it("counts right though a commit graph is there that lies", () =>
    withMirror(async (mirror, repo, folder) => {
      for (const a of ["1", "2", "3"]) await repo.commit({ a })
      const before = await mirror.fetch()
      const place = join(folder, "m.git")
      await repo.git("--git-dir", place, "commit-graph", "write", "--reachable")
      await mirror.close()
      const graph = join(place, "objects/info/commit-graph")
      const bytes = await readFile(graph)
      await chmod(graph, 0o644)
      // The commits' data comes before the checksum (gitformat-commit-graph(5)): now with false parents.
      await writeFile(graph, bytes.fill(0, bytes.length - 140, bytes.length - 20))
      const again = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
      expect(await again.fetch()).toEqual(before)
      await again.close()
    }))

  it("whose bytes rot while it is open is fetched again by the read that finds out", () =>
    withMirror(async (mirror, repo, folder) => {
      await fillPack(repo)
      const { commit } = await mirror.fetch()
      const pack = await onePack(join(folder, "m.git"))
      const bytes = await readFile(pack)
      await chmod(pack, 0o644)
      await writeFile(
        pack,
        Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(bytes.length - 32, 0xff), bytes.subarray(-20)]),
      )
      expect(Object.keys(await mirrorContents(mirror, commit))).toHaveLength(150)
    }))

  it("that a killed git left locked while it is open is unlocked, not fetched again", () =>
    withMirror(async (mirror, repo, folder) => {
      await mirror.fetch()
      const { ino } = await stat(join(folder, "m.git"))
      const commit = await repo.commit({ a: "1" })
      await writeFile(join(folder, "m.git/refs/headrace/tip.lock"), "")
      expect((await mirror.fetch()).commit).toBe(commit)
      expect((await stat(join(folder, "m.git"))).ino).toBe(ino)
    }))

  it("that cannot be repaired is not fetched again at every call", () =>
    withMirror(async (mirror, repo, folder) => {
      const { commit } = await mirror.fetch()
      const tip = join(folder, "m.git/refs/headrace/tip")
      const breakRef = () => writeFile(tip, `${"1".repeat(40)}\n`)
      await breakRef()
      expect((await mirror.fetch()).commit).toBe(commit)
      const { ino } = await stat(join(folder, "m.git"))
      await breakRef()
      await repo.commit({ a: "1" })
      await expect(mirror.fetch()).rejects.toMatchObject({ code: "git/damaged" })
      expect((await stat(join(folder, "m.git"))).ino).toBe(ino)
    }))

  it("of another remote is replaced", () =>
    withMirror(async (mirror, repo, folder) => {
      await repo.commit({ a: "first" })
      await mirror.fetch()
      await mirror.close()
      await withRepo(async (other) => {
        const commit = await other.commit({ b: "second" })
        const again = await openMirror({ name: "m", url: other.folder, branch: "main", folder, log })
        expect((await again.fetch()).commit).toBe(commit)
        expect(await again.seqOf(await repo.tip())).toBeUndefined()
        await again.close()
      })
    }))
})

/** More than 100 objects, which git keeps as a pack. */
async function fillPack(repo: TestRepo): Promise<void> {
  await repo.commit(
    Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, `content ${index}`])),
  )
}

function writeRef(place: string, content: string): Promise<void> {
  return writeFile(join(place, "refs/headrace/tip"), content)
}

function tipOf(place: string): Promise<string> {
  return readFile(join(place, "refs/headrace/tip"), "utf8")
}

async function lockAll(place: string): Promise<void> {
  const names = ["HEAD", "packed-refs", "config", "shallow", "refs/headrace/tip"].map(
    (name) => `${name}.lock`,
  )
  for (const name of [...names, "gc.pid"]) await writeFile(join(place, name), "")
}

async function onePack(place: string): Promise<string> {
  const folder = join(place, "objects/pack")
  const name = (await readdir(folder)).find((each) => each.endsWith(".pack"))
  if (name === undefined) throw new Error("the mirror has no pack to damage")
  await chmod(join(folder, name), 0o644)
  return join(folder, name)
}
