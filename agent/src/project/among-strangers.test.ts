import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
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
