import fs from "node:fs"
import { join } from "node:path"
import { createTestCluster, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { NAMESPACE, SOURCE, writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it, vi } from "vitest"
import { createPublishLimits } from "./publish-limits.ts"

describe("hooks that take long before a publish", () => {
  it("keep no other projection back, however many there are", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
      const gate = join(folder, "gate")
      const hook = `["/bin/sh", "-c", "until test -e ${gate}; do sleep 0.05; done"]`
      const slow = Array.from(
        { length: 6 },
        (_, at) => `  slow${at}:
    path: ${join(folder, `slow${at}`)}
    durability: none
    from: [{configMap: ci/jobs}]
    before: [{exec: ${hook}, timeout: 60s}]
`,
      )
      const quick = `  quick:
    path: ${join(folder, "quick")}
    durability: none
    from: [{configMap: ci/jobs}]
`
      const yaml = `version: 1\nrecord: ${NAMESPACE}/${SOURCE}\nprojections:\n${slow.join("")}${quick}`
      await withAgent(kube, yaml, async () => {
        const isShown = (name: string) => fs.existsSync(join(folder, name, "x"))
        await expect.poll(() => isShown("quick"), { timeout: 30_000 }).toBe(true)
        expect(isShown("slow0")).toBe(false)
        fs.writeFileSync(gate, "")
        await expect
          .poll(() => Array.from({ length: 6 }, (_, at) => isShown(`slow${at}`)), { timeout: 30_000 })
          .toEqual(Array.from({ length: 6 }, () => true))
      })
    })
  })
})

describe("the limits of publishing", () => {
  it("let those with new content go first, though the others were ready earlier", async () => {
    const { published, tokenOnly } = createPublishLimits(() => undefined)
    const order: string[] = []
    const others = ["a", "b"].map((name) => tokenOnly(async () => order.push(name)))
    await new Promise((resolve) => setImmediate(resolve))
    await published(async () => order.push("new"))
    await Promise.all(others)
    expect(order).toEqual(["new", "a", "b"])
  })

  it("end with the signal while they yield", async () => {
    const { tokenOnly } = createPublishLimits(() => undefined)
    const stopping = new AbortController()
    const work = vi.fn(async () => undefined)
    const ended = tokenOnly(work, stopping.signal)
    stopping.abort(new Error("stopped"))
    await expect(ended).rejects.toThrow("stopped")
    expect(work).not.toHaveBeenCalled()
  })

  it("count what is aside as under way, and never let more than four work", async () => {
    let idle = 0
    const { published } = createPublishLimits(() => {
      idle += 1
    })
    let working = 0
    let most = 0
    async function step(): Promise<void> {
      working += 1
      most = Math.max(most, working)
      await new Promise((resolve) => setImmediate(resolve))
      working -= 1
    }
    const work = Array.from({ length: 20 }, (_, at) =>
      published(async (aside) => {
        await step()
        await aside(() => new Promise((resolve) => setTimeout(resolve, at % 3)))
        await step()
        return at
      }),
    )
    expect(await Promise.all(work)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    expect(most).toBe(4)
    expect(idle).toBe(1)
    await expect(published(() => Promise.reject(new Error("failed")))).rejects.toThrow("failed")
    await expect(published((aside) => aside(() => Promise.reject(new Error("vetoed"))))).rejects.toThrow(
      "vetoed",
    )
    expect(await Promise.all(Array.from({ length: 5 }, () => published(async () => 1)))).toEqual([
      1, 1, 1, 1, 1,
    ])
  })
})
