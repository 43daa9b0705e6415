import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import {
  createTestCluster,
  projectionYaml,
  untilReady,
  untilShown,
  withAgent,
} from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { commitOf, writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { withRetainedAlone } from "../retain/open-retained.ts"
import { rollback, unpin } from "../retain/revisions.ts"
import type { Agent } from "./agent.ts"

const NEVER = new AbortController().signal

it.each(["links", "file"])(
  "says what an operator's rollback shows, and goes back when it is unpinned, with no new commit (layout %s)",
  async (layout) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const place = { path, log: createLog("test", { level: "silent" }), signal: NEVER }
      const { kube } = createTestCluster()
      const from =
        layout === "file"
          ? "[{configMap: ci/jobs, items: [{key: x, path: shown}]}]"
          : "[{configMap: ci/jobs}]"
      const yaml = projectionYaml(folder, from, `    layout: ${layout}\n`)
      const content = () => readFile(layout === "file" ? path : join(path, "x"), "utf8")
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
      const work = async (agent: Agent) => {
        await untilShown(agent, commitOf(1))
        await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { x: "two" } } })
        await untilShown(agent, commitOf(2))
        await untilReady(agent)

        await withRetainedAlone(place, (projection) => rollback(projection, undefined, "two is bad"))
        await expect.poll(() => agent.readiness().reasons.join()).toContain("two is bad")
        expect(agent.projections()).toMatchObject([
          { shown: { id: commitOf(1), number: 1 }, current: false, problem: { code: "publish/pinned" } },
        ])
        expect(await content()).toBe("one")

        await withRetainedAlone(place, unpin)
        await untilReady(agent)
        expect(agent.projections()).toMatchObject([{ shown: { id: commitOf(2) }, current: true }])
        expect(await content()).toBe("two")

        // Over between two looks.
        await withRetainedAlone(place, async (projection) => {
          await rollback(projection, commitOf(1), "for a moment")
          await unpin(projection)
        })
        await expect.poll(content).toBe("two")
        await untilReady(agent)
      }
      await withAgent(kube, yaml, work, { lookEvery: 20 })
    })
  },
)
