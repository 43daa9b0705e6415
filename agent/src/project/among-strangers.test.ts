import { execFileSync, spawn } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { claimFolder } from "@headrace/shared/git/mirror/claim-folder"
import { shown } from "@headrace/test/harness/shown-files"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import { sendSignal } from "../notify/send-signal.ts"
import { openProjection } from "../publish/open-projection.ts"

const missing = notRoot()
const STRANGER = 65_533

describe.skipIf(missing)(`an agent that runs as root${whySkipped(missing)}`, () => {
  it.each([
    ["..rev", "links"],
    [".headrace-shown", "exchange"],
  ] as const)("trusts no store that another user has made (%s)", async (name, layout) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const store = layout === "links" ? join(path, name) : join(folder, name)
      fs.mkdirSync(store, { recursive: true })
      fs.chownSync(store, STRANGER, STRANGER)
      await expect(openProjection(projectionOptions(path, { layout }))).rejects.toMatchObject({
        code: "publish/foreign-store",
      })
      expect(fs.readdirSync(store)).toEqual([])
    })
  })

  it("trusts no folder that another user has made where everybody can, but the one of its consumer", async () => {
    await withFolder(async (folder) => {
      fs.chmodSync(folder, 0o1777)
      const path = join(folder, "shown")
      fs.mkdirSync(path)
      fs.chownSync(path, STRANGER, STRANGER)
      await expect(openProjection(projectionOptions(path))).rejects.toMatchObject({
        code: "publish/foreign-store",
      })
      expect(fs.readdirSync(path)).toEqual([])

      const projection = await openProjection(projectionOptions(path, { permissions: { uid: STRANGER } }))
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.close()
    })
  })

  it.each([
    ["a folder on the way", "links"],
    ["a folder on the way", "exchange"],
    ["a link on the way", "links"],
    ["a link in its place", "links"],
  ] as const)(
    "follows nothing that another user has made where everybody can: %s (%s)",
    async (what, layout) => {
      await withFolder(async (folder) => {
        const open = join(folder, "open")
        const victim = join(folder, "victim")
        for (const each of [open, victim]) fs.mkdirSync(each)
        fs.chmodSync(open, 0o1777)
        const theirs = join(open, "theirs")
        if (what === "a folder on the way") fs.mkdirSync(theirs)
        else fs.symlinkSync(victim, theirs)
        fs.lchownSync(theirs, STRANGER, STRANGER)
        const path = what === "a link in its place" ? theirs : join(theirs, "shown")
        await expect(openProjection(projectionOptions(path, { layout }))).rejects.toMatchObject({
          code: "publish/foreign-store",
        })
        const workFolder = join(theirs, "work")
        const options = projectionOptions(join(folder, "shown"), { workFolder })
        await expect(openProjection(options)).rejects.toMatchObject({ code: "publish/foreign-store" })
        expect(fs.readdirSync(theirs)).toEqual([])
        expect(fs.readdirSync(victim)).toEqual([])
      })
    },
  )

  it("keeps no mirror where another user can put another one in its place", async () => {
    await withFolder(async (folder) => {
      fs.chmodSync(folder, 0o1777)
      const mirrors = join(folder, "mirrors")
      const refused = { code: "git/foreign-mirror" }
      fs.mkdirSync(mirrors)
      fs.chownSync(mirrors, STRANGER, STRANGER)
      await expect(claimFolder(mirrors, "m")).rejects.toMatchObject(refused)
      await expect(claimFolder(join(mirrors, "deeper"), "m")).rejects.toMatchObject(refused)
      expect(fs.readdirSync(mirrors)).toEqual([])
      fs.mkdirSync(join(folder, "m.git"))
      fs.chownSync(join(folder, "m.git"), STRANGER, STRANGER)
      await expect(claimFolder(folder, "m")).rejects.toMatchObject(refused)
    })
  })

  it.each(["links", "exchange"] as const)(
    "believes no manifest and no note that its consumer could have written (%s)",
    async (layout) => {
      await withFolder(async (folder) => {
        fs.chmodSync(folder, 0o755)
        const path = join(folder, "shown")
        const store = layout === "links" ? join(path, "..rev") : join(folder, ".headrace-shown")
        const options = projectionOptions(path, { layout, permissions: { uid: STRANGER, file: 0o400 } })
        const first = await openProjection(options)
        await first.publish(revisionOf(2, { a: "1" }))
        await first.close()
        const files = [join(store, "0001/manifest.json"), join(store, "published.json")]
        expect(files.map((file) => fs.statSync(file).uid)).toEqual([0, 0])
        if (layout === "exchange") {
          const read = { uid: STRANGER, encoding: "utf8" } as const
          expect(execFileSync("cat", [join(path, "..revision.json")], read)).toContain('"number":1')
        }

        // A consumer with a folder of its own can put any file there.
        for (const file of files) {
          const text = fs.readFileSync(file, "utf8").replaceAll('"seq":2', '"seq":1')
          fs.writeFileSync(file, text.replace('"path":"a"', '"path":"../../../victim"'))
          fs.chownSync(file, STRANGER, STRANGER)
        }
        fs.writeFileSync(join(folder, "victim"), "1")
        const before = fs.statSync(join(folder, "victim"))
        const again = await openProjection(options)
        await again.publish(revisionOf(3, { a: "3" }))
        await again.close()
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("3")
        expect(fs.statSync(join(folder, "victim"))).toEqual(before)
      })
    },
  )

  it("signals no process for a user who could not", async () => {
    await withFolder(async (folder) => {
      const file = join(folder, "pid")
      fs.writeFileSync(file, `${process.pid}\n`)
      fs.chownSync(file, STRANGER, STRANGER)
      let isSignalled = false
      const hear = () => {
        isSignalled = true
      }
      process.once("SIGUSR2", hear)
      await expect(sendSignal({ signal: "USR2", pidFile: file })).rejects.toThrow("which is not that user's")
      process.off("SIGUSR2", hear)
      expect(isSignalled).toBe(false)
    })
  })

  it("signals on a node no process of another user by name or a pid file of root, but by that user's own", async () => {
    await withFolder(async (folder) => {
      const program = join(folder, "hr-stranger")
      const pidFile = join(folder, "pid")
      fs.chmodSync(folder, 0o755)
      fs.copyFileSync("/bin/sleep", program)
      // Not a child of ours: its own shell has ended.
      const start = `'${program}' 60 >/dev/null 2>&1 & echo $!`
      const pid = Number(execFileSync("sh", ["-c", start], { uid: STRANGER, encoding: "utf8" }))
      const ours = spawn(program, ["60"])
      const ended = new Promise((resolve) => ours.once("exit", (_code, by) => resolve(by)))
      try {
        await expect.poll(() => [commOf(pid), commOf(ours.pid)]).toEqual(["hr-stranger", "hr-stranger"])
        await sendSignal({ signal: "USR1", process: "hr-stranger" }, false)
        expect(await ended).toBe("SIGUSR1")
        await expect(sendSignal({ signal: "USR1", process: "hr-stranger" }, false)).rejects.toMatchObject({
          code: "notify/no-process",
        })

        fs.writeFileSync(pidFile, `${pid}\n`)
        const byFile = () => sendSignal({ signal: "USR1", pidFile }, false)
        await expect(byFile()).rejects.toThrow("which is not that user's")
        expect(commOf(pid)).toBe("hr-stranger")
        fs.chownSync(pidFile, STRANGER, STRANGER)
        await byFile()
        await expect.poll(() => commOf(pid)).not.toBe("hr-stranger")
      } finally {
        ours.kill("SIGKILL")
        if (commOf(pid) === "hr-stranger") process.kill(pid, "SIGKILL")
      }
    })
  })

  it("notices a content that its owner changed, with all times and modes set back, and repairs it", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one", y: "two" } } })
      const yaml = projectionYaml(folder, "[{configMap: ci/jobs}]", `    permissions: {uid: ${STRANGER}}`)
      const change = async () => {
        const file = fs.realpathSync(join(folder, "shown/x"))
        const { mode } = fs.statSync(file)
        execFileSync("touch", ["-r", file, join(folder, "times")])
        fs.chmodSync(file, 0o644)
        fs.writeFileSync(file, "0ne")
        fs.chmodSync(file, mode)
        // To the nanosecond, which utimes(2) of Node does not.
        execFileSync("touch", ["-r", join(folder, "times"), file])
      }
      await withAgent(
        kube,
        yaml,
        async (agent) => {
          await untilReady(agent)
          await change()
          await expect.poll(() => shown(join(folder, "shown"))).toEqual({ x: "one", y: "two" })
        },
        { lookEvery: 100 },
      )
    })
  })
})

describe.skipIf(missing)(`a consumer without rights${whySkipped(missing)}`, () => {
  it("can walk everything at and under a projection, of each layout", async () => {
    await withFolder(async (folder) => {
      fs.chmodSync(folder, 0o755)
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one", "d/y": "two" } } })
      const more = `  other:
    path: ${folder}/other
    layout: exchange
    durability: none
    from: [{configMap: ci/jobs}]`
      await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]", more), async (agent) => {
        await untilReady(agent)
        await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { x: "three", "d/y": "two" } } })
        await untilReady(agent)
        await new Promise((resolve) => setTimeout(resolve, 300))
        const walk = `find ${folder} -mindepth 1 -type d -exec ls {} + ; find ${folder} -type f -exec cat {} +`
        const out = execFileSync("sh", ["-c", `(${walk}) 2>&1 >/dev/null; true`], {
          uid: STRANGER,
          gid: STRANGER,
          encoding: "utf8",
        })
        expect(out).toBe("")
      })
    })
  })
})

function commOf(pid: number | undefined): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd()
  } catch {
    return undefined
  }
}
