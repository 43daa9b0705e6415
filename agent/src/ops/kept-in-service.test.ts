import fs from "node:fs"
import { join } from "node:path"
import { isCurrent } from "@headrace/shared/observe/ops-routes"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import type { Agent } from "../project/agent.ts"

/** Waits until the agent says `text`, being ready all the time and not current then. */
async function staysInService(agent: Agent, text: string): Promise<void> {
  let wasReady = true
  await expect
    .poll(
      () => {
        const { ready, reasons } = agent.readiness()
        wasReady &&= ready
        return reasons.join()
      },
      { interval: 10 },
    )
    .toContain(text)
  expect(wasReady).toBe(true)
  expect(isCurrent(agent.readiness())).toBe(false)
}

describe("an agent whose projections show verified revisions", () => {
  it("stays ready through a slow hook and a veto, and is current again afterwards", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const go = join(folder, "go")
      const hook = `until [ -e ${go} ]; do sleep 0.05; done; ! grep -q bad "$HEADRACE_PATH/x"`
      const more = `    before: [{exec: [sh, -c, '${hook}'], timeout: 30s}]`
      fs.writeFileSync(go, "")
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "1" } } })
      await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]", more), async (agent) => {
        await untilReady(agent)
        fs.rmSync(go)
        await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { x: "bad" } } })
        await staysInService(agent, "moves to a newer revision")
        fs.writeFileSync(go, "")
        await staysInService(agent, "was vetoed")
        await writeRevision(kube, { seq: 3, targets: { "ci/jobs": { x: "3" } } })
        await untilReady(agent)
      })
    })
  })

  it("stays ready when a path is rejected, and is ready at a start without an API server", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const yaml = projectionYaml(folder, "[{configMap: ci/jobs, names: paths}]")
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "1" } } })
      await withAgent(kube, yaml, async (agent) => {
        await untilReady(agent)
        await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { "..data/x": "2" } } })
        await staysInService(agent, "[publish/bad-path]")
      })
      const away = () => Promise.reject(new Error("connect ECONNREFUSED"))
      await withAgent({ ...kube, list: away, get: away }, yaml, async (agent) => {
        await expect.poll(() => agent.readiness().ready).toBe(true)
        await staysInService(agent, "record not read yet")
      })
    })
  })

  it("is not ready while what readers see is gone and cannot be shown again", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      let isAway = false
      const reader = {
        ...kube,
        get: (...given: Parameters<typeof kube.get>) =>
          isAway ? Promise.reject(new Error("connect ECONNREFUSED")) : kube.get(...given),
      }
      await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "1" } } })
      const use = async (agent: Agent) => {
        await untilReady(agent)
        isAway = true
        fs.rmSync(fs.realpathSync(join(folder, "shown/..data")), { recursive: true })
        await expect.poll(() => agent.readiness().ready, { interval: 5 }).toBe(false)
        isAway = false
        await untilReady(agent)
        expect(agent.readiness().ready).toBe(true)
      }
      await withAgent(reader, projectionYaml(folder, "[{configMap: ci/jobs}]"), use, { lookEvery: 100 })
    })
  })
})
