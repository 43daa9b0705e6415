import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { mirrorContents, withMirror } from "@headrace/test/harness/with-mirror"
import { withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { openMirror } from "./open-mirror.ts"

const log = createLog("test", { level: "silent" })

describe("openMirror", () => {
  it("follows commits, merges, squashes and rebases, counting all ancestors", () =>
    withMirror(async (mirror, repo) => {
      const steps = [
        () => repo.commit({ a: "1", "d/b": "1" }),
        () => repo.merge({ "d/b": "2" }),
        () => repo.squash({ c: "1" }, { c: "2" }),
        () => repo.rebase({ other: "1" }, { x: "1" }, { x: "2" }),
        () => repo.commit({ a: null }),
      ]
      for (const step of steps) {
        const commit = await step()
        const tip = await mirror.fetch()
        expect(tip).toEqual({ commit, seq: Number(await repo.git("rev-list", "--count", commit)) })
      }
      expect(await mirrorContents(mirror, await repo.tip())).toEqual({
        c: "2",
        "d/b": "2",
        other: "1",
        x: "2",
      })
    }))

  it("follows a force push to a shorter, an unrelated and a longer history", () =>
    withMirror(async (mirror, repo) => {
      const first = await repo.commit({ a: "1" })
      const second = await repo.commit({ a: "2" })
      expect((await mirror.fetch()).seq).toBe(3)

      await repo.forcePush(first)
      expect(await mirror.fetch()).toEqual({ commit: first, seq: 2 })
      const third = await repo.commit({ a: "3" })
      const fourth = await repo.commit({ a: "4" })
      expect(await mirror.fetch()).toEqual({ commit: fourth, seq: 4 })

      expect(await mirror.contains(fourth, third)).toBe(true)
      expect(await mirror.contains(fourth, fourth)).toBe(true)
      expect(await mirror.contains(fourth, second)).toBe(false)
      expect(await mirror.seqOf(second)).toBe(3)
      expect(await mirror.timeOf(second)).toBe(
        Number(await repo.git("log", "-1", "--format=%ct", second)) * 1000,
      )
      expect(await mirrorContents(mirror, second)).toEqual({ a: "2" })
    }))

  it("knows nothing of commits that it does not have", () =>
    withMirror(async (mirror) => {
      const { commit } = await mirror.fetch()
      const unknown = "1".repeat(40)
      expect(await mirror.seqOf(unknown)).toBeUndefined()
      expect(await mirror.timeOf(unknown)).toBeUndefined()
      expect(await mirror.contains(commit, unknown)).toBe(false)
      await expect(mirror.contains(unknown, commit)).rejects.toMatchObject({ code: "git/missing-object" })
      await expect(mirror.tree(unknown)).rejects.toMatchObject({ code: "git/missing-object" })
      await expect(mirror.blobs([unknown])).rejects.toMatchObject({ code: "git/missing-object" })
      await expect(mirror.tree("--help")).rejects.toMatchObject({ code: "git/bad-id" })
    }))

  it("resolves links, keeps the executable bit, names submodules and LFS pointers", () =>
    withMirror(async (mirror, repo) => {
      const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`
      await repo.commit({
        "bin/run": { executable: "#!/bin/sh\n" },
        "d/f": "f",
        link: { link: "d" },
        out: { link: "../x" },
        "plain-pointer": pointer,
      })
      await repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub`)
      await repo.git("commit", "--quiet", "--message", "submodule")
      const plain = (await mirror.fetch()).commit
      const before = await mirror.tree(plain)
      expect(before.files.map(({ path, executable }) => [path, executable])).toEqual([
        ["bin/run", true],
        ["d/f", false],
        ["link/f", false],
      ])
      expect(before.problems.map(({ code, file }) => [file, code]).sort()).toEqual([
        ["out", "git/link-outside"],
        ["plain-pointer", "git/lfs-pointer"],
        ["sub", "git/submodule"],
      ])
      expect(String(await mirror.file(plain, "link/f"))).toBe("f")
      expect(await mirror.file(plain, "link")).toBeUndefined()

      await writeFile(join(repo.folder, ".gitattributes"), "*-pointer filter=lfs\n")
      await repo.git("add", ".gitattributes")
      await repo.git("commit", "--quiet", "--message", "lfs")
      const after = await mirror.tree((await mirror.fetch()).commit)
      expect(after.problems.map((problem) => problem.code)).toContain("git/lfs-pointer")
      expect(after.files.map((file) => file.path)).not.toContain("plain-pointer")
    }))

  it("leaves out paths of a crafted tree that no folder could hold, where the operator accepts such trees", () =>
    withMirror(
      async (mirror, repo) => {
        const blob = await repo.git("hash-object", "-w", "/dev/null")
        const entry = (name: Buffer) =>
          Buffer.concat([Buffer.from("100644 "), name, Buffer.from("\0"), Buffer.from(blob, "hex")])
        const names = [
          Buffer.from(".."),
          Buffer.from(".GIT"),
          Buffer.from("caf\xe9", "latin1"),
          Buffer.from("good"),
        ]
        const file = join(repo.scratch, "tree")
        await writeFile(file, Buffer.concat(names.map(entry)))
        const crafted = await repo.git("hash-object", "-t", "tree", "-w", "--literally", file)
        const commit = await repo.git("commit-tree", crafted, "-p", "main", "-m", "crafted")
        await repo.git("update-ref", "refs/heads/main", commit)
        const before = await mirror.tree((await mirror.fetch()).commit)
        expect(before.files.map(({ path }) => path)).toEqual(["good"])
        expect(before.problems.map(({ code }) => code)).toEqual([
          "git/bad-path",
          "git/bad-path",
          "git/bad-path",
        ])
      },
      { fsckIgnore: ["hasDotdot", "hasDotgit"] },
    ))

  it("derives each tree from its neighbour exactly as a listing gives it", { timeout: 120_000 }, () =>
    withMirror(async (mirror, repo, folder) => {
      const steps = [
        { a: "1", "a-b": "1", "a/../c/d": "1", l: { link: "c" } },
        { "c/e": "2", "c/d": null },
        { l: { link: "a" } },
        { l: "now a file", a: { executable: "1" } },
        { a: null, "a/deep/file": "x", "ä/ö": "y" },
        { "a/deep": { link: "../c" }, "a/deep/file": null },
        {},
        { c: null },
      ]
      const commits: string[] = []
      for (const { ...changes } of steps) {
        const ordered = Object.entries(changes).sort(
          ([, a], [, b]) => Number(a !== null) - Number(b !== null),
        )
        commits.push(await repo.commit(Object.fromEntries(ordered)))
      }
      await mirror.fetch()
      for (const commit of [...commits, ...commits.toReversed()]) {
        const listing = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
        await listing.fetch()
        expect(await mirror.tree(commit)).toEqual(await listing.tree(commit))
        await listing.close()
      }
    }),
  )

  it("reads many blobs at once, and goes on when git dies meanwhile", () =>
    withMirror(async (mirror, repo) => {
      const files = Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [`f${index}`, `${index}`.repeat(1000)]),
      )
      await repo.commit({ ...files, large: Buffer.alloc(3_000_000, 7) })
      const { commit } = await mirror.fetch()
      const { files: listed } = await mirror.tree(commit)
      const reading = mirror.blobs(listed.map((file) => file.oid))
      for (const pid of await catFilesOf(repo.scratch)) process.kill(pid, "SIGKILL")
      const blobs = await reading
      expect(blobs.map((blob) => blob.length)).toEqual(listed.map((file) => file.size))
      expect(await mirrorContents(mirror, commit)).toMatchObject(files)
    }))

  it("stops waiting when asked to, and stays usable", () =>
    withMirror(async (mirror, repo) => {
      await repo.commit({ a: "1" })
      const { commit } = await mirror.fetch()
      const signal = AbortSignal.abort(new Error("enough"))
      await expect(mirror.fetch(signal)).rejects.toThrow("enough")
      await expect(mirror.tree(commit, signal)).rejects.toThrow("enough")
      await expect(mirror.blobs([], signal)).rejects.toThrow("enough")
      expect(await mirrorContents(mirror, commit)).toEqual({ a: "1" })
    }))

  it("ends a fetch that takes too long, with its children", () =>
    withRepo(async (repo) => {
      await mkdir(join(repo.scratch, "bin"))
      const stuck = join(repo.scratch, "bin", "ssh")
      await writeFile(stuck, `#!/bin/sh\necho $$ > '${repo.scratch}/pid'\nsleep 100\n`)
      await chmod(stuck, 0o755)
      const path = process.env.PATH
      process.env.PATH = `${join(repo.scratch, "bin")}:${path}`
      try {
        const folder = join(repo.scratch, "mirrors")
        const auth = { kind: "ssh", keyFile: "/it's/no key" } as const
        const mirror = await openMirror({
          name: "m",
          url: "git@host.invalid:a/b",
          branch: "main",
          folder,
          log,
          auth,
          fetchTimeout: 500,
        })
        await expect(mirror.fetch()).rejects.toMatchObject({ code: "git/timeout" })
        const pid = Number(await readFile(join(repo.scratch, "pid"), "utf8"))
        await expect.poll(() => stateOf(pid)).toMatch(/^[Z?]$/)
        await mirror.close()
      } finally {
        process.env.PATH = path
      }
    }))

  it.each([
    ["branch", { branch: "gone" }, "git/branch-missing"],
    ["repository", { url: "/nowhere/at/all" }, "git/repository-missing"],
    ["server", { url: "http://127.0.0.1:1/x.git" }, "git/unreachable"],
  ])("names a %s that is not there", (_, options, code) =>
    withMirror(async (mirror) => {
      await expect(mirror.fetch()).rejects.toMatchObject({ code })
    }, options),
  )

  it.each([
    ["--upload-pack=touch /tmp/x", "main", "git/repository-missing"],
    ["ext::sh -c true", "main", "git/failed"],
    ["https://user:secret@host/x", "main", "git/credentials-in-url"],
    [".", "a:refs/heads/b", "git/bad-branch"],
    [".", "a..b", "git/bad-branch"],
  ])("reads neither options nor commands from the URL %s and branch %s", (url, branch, code) =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      const attempt = async () => {
        const mirror = await openMirror({ name: "m", url, branch, folder, log })
        await mirror.fetch().finally(() => mirror.close())
      }
      await expect(attempt()).rejects.toMatchObject({ code })
    }),
  )

  it("refuses a shallow clone, which cannot count its history", () =>
    withRepo(async (repo) => {
      await repo.commit({ a: "1" })
      await repo.commit({ a: "2" })
      const shallow = join(repo.scratch, "shallow")
      await repo.git("clone", "--quiet", "--depth=1", `file://${repo.folder}`, shallow)
      const mirror = await openMirror({
        name: "m",
        url: shallow,
        branch: "main",
        folder: join(repo.scratch, "mirrors"),
        log,
      })
      await expect(mirror.fetch()).rejects.toMatchObject({ code: "git/shallow" })
      await mirror.close()
    }))
})

/** A process's state letter (proc(5)): Z ended and not yet waited for; ?: there is none. */
async function stateOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  return line === "" ? "?" : line.charAt(line.lastIndexOf(")") + 2)
}

/** Processes of `git cat-file` that read a repository beneath `folder`. */
async function catFilesOf(folder: string): Promise<number[]> {
  const pids: number[] = []
  for (const entry of await readdir("/proc")) {
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "")
    if (line.includes("cat-file") && line.includes(folder)) pids.push(Number(entry))
  }
  return pids
}
