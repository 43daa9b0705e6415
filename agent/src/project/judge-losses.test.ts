import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { shown } from "@headrace/test/harness/shown-files"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRepo } from "@headrace/test/harness/with-repo"
import { writeConfigMap } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import { withRetainedAlone } from "../retain/open-retained.ts"
import { approve } from "../retain/revisions.ts"

const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal
const PATIENT = { timeout: 60_000 }

function settings(folder: string, from: string): string {
  return `version: 1
mirrors: ${folder}/mirrors
projections:
  shown: {path: ${join(folder, "shown")}, durability: none, keep: {age: 0s}, from: ${from}}
`
}

function many(prefix: string, count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, `${at}`]))
}

describe("a git branch", () => {
  it("keeps what is shown when its folder is renamed, until that revision is approved or the folder is back", async () => {
    await withFolder((folder) =>
      withRepo(async (repo) => {
        const { kube } = createTestCluster()
        const now = async () => Object.keys(await shown(join(folder, "shown"))).length
        const tree = { ...many("jobs/", 30), ...many("other/", 30) }
        await repo.commit(tree)
        const from = `[{git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s}}]`
        await withAgent(kube, settings(folder, from), async (agent) => {
          await untilReady(agent)
          expect(await now()).toBe(60)
          const gone = Object.fromEntries(Object.keys(tree).map((path) => [path, null]))
          const commit = await repo.commit({ ...gone, "other/0": "0" })
          const reasons = () => agent.readiness().reasons.join()
          await expect.poll(reasons, PATIENT).toContain("[projection/guarded]")
          expect(await now()).toBe(60)
          expect(agent.readiness().ready).toBe(true)
          await withRetainedAlone({ path: join(folder, "shown"), log, signal }, (retained) =>
            approve(retained, commit),
          )
          await expect.poll(now, PATIENT).toBe(1)
          await untilReady(agent)
        })
      }),
    )
  })

  it("that selects nothing is an error at the start and later, unless it is optional", async () => {
    await withFolder((folder) =>
      withRepo(async (repo) => {
        const { kube } = createTestCluster()
        await repo.commit({ "jobs/a": "1" })
        const git = `git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s, paths: [typo]}`
        await withAgent(kube, settings(folder, `[{${git}}]`), async (agent) => {
          await expect
            .poll(() => agent.readiness().reasons.join(), PATIENT)
            .toContain("has no file that is selected")
          expect(agent.readiness().ready).toBe(false)
        })
        await withAgent(kube, settings(folder, `[{${git}, optional: true}]`), async (agent) => {
          await untilReady(agent)
          expect(fs.readdirSync(fs.realpathSync(join(folder, "shown/..data")))).toEqual([])
        })
      }),
    )
  })

  it("leaves a name of Headrace's out by itself, and says so", async () => {
    await withFolder((folder) =>
      withRepo(async (repo) => {
        const { kube } = createTestCluster()
        await repo.commit({ a: "1", "..foo": "2", "..data/x": "3" })
        const from = `[{git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s}}]`
        await withAgent(kube, settings(folder, from), async (agent) => {
          await expect.poll(() => shown(join(folder, "shown")).catch(() => ({})), PATIENT).toEqual({ a: "1" })
          const text = agent.readiness().reasons.join()
          expect(text).toContain("..foo")
          expect(text).toContain("..data/x")
        })
      }),
    )
  })
})

describe("a selection of live objects", () => {
  it("keeps what is shown when it matches nothing any more", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeConfigMap(kube, {
        metadata: { namespace: "ci", name: "l", labels: { app: "x" } },
        data: { a: "1" },
      })
      await withAgent(kube, settings(folder, "[{live: {labelSelector: app=x}}]"), async (agent) => {
        await untilReady(agent)
        await writeConfigMap(kube, {
          metadata: { namespace: "ci", name: "l", labels: { app: "y" } },
          data: { a: "1" },
        })
        await expect.poll(() => agent.readiness().reasons.join(), PATIENT).toContain("none matches")
        expect(await shown(join(folder, "shown"))).toEqual({ a: "1" })
      })
    })
  })
})
