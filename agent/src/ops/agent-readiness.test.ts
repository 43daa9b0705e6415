import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { writeConfigMap, writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import type { Agent } from "../project/agent.ts"

it("compares with the record's token only what shows the record", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 7, targets: { "ci/jobs": { x: "one" } } })
    await writeConfigMap(kube, { metadata: { namespace: "ci", name: "plain" }, data: { y: "two" } })
    const more = `  plain:
    path: ${folder}/plain
    durability: none
    from: [{live: {configMap: ci/plain}}]`
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]", more), async (agent) => {
      await untilReady(agent)
      const metrics = await agent.registry.metrics()
      expect(metrics).toContain('headrace_agent_record_lag{projection="shown"} 0')
      expect(metrics).not.toContain('headrace_agent_record_lag{projection="plain"}')
    })
  })
})

it("says which live watch cannot be read, and for how long it is silent, beside a record that can", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 7, targets: { "ci/jobs": { x: "one" } } })
    const more = `  plain:
    path: ${folder}/plain
    durability: none
    from: [{live: {configMap: closed/plain}}]`
    const closed = <Rest extends unknown[], Result>(read: (namespace: string, ...rest: Rest) => Result) => {
      return (namespace: string, ...rest: Rest): Result => {
        if (namespace === "closed") throw new Error("configmaps is forbidden")
        return read(namespace, ...rest)
      }
    }
    const reader = { ...kube, list: closed(kube.list), watch: closed(kube.watch) }
    let ahead = 0
    const clock = { ...systemClock, now: () => Date.now() + ahead }
    const read = async (agent: Agent) => {
      await expect
        .poll(() => agent.readiness().reasons.join("\n"))
        .toContain("closed/plain not read yet: configmaps is forbidden")
      await expect.poll(() => agent.projections()[0]?.shown?.token.seq).toBe(7)
      expect(agent.readiness().reasons.join("\n")).toContain("closed/plain not read yet")
      ahead = 3_600_000
      await writeRevision(kube, { seq: 8, targets: { "ci/jobs": { x: "two" } } })
      await expect.poll(() => agent.projections()[0]?.shown?.token.seq).toBe(8)
      const age = /^headrace_agent_watch_age_seconds (\S+)$/m.exec(await agent.registry.metrics())?.[1]
      expect(Number(age)).toBeGreaterThanOrEqual(3_600)
    }
    await withAgent(reader, projectionYaml(folder, "[{configMap: ci/jobs}]", more), read, { clock })
  })
})

it("names a source that was read and cannot be any more, stays ready, and forgets it when the server answers", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 7, targets: { "ci/jobs": { x: "one" } } })
    let away = new AbortController()
    const refused = (): void => {
      if (away.signal.aborted) throw new Error("connect ECONNREFUSED")
    }
    const reader: ConfigMapReader = {
      get: async (...call) => {
        refused()
        return await kube.get(...call)
      },
      list: async (...call) => {
        refused()
        return await kube.list(...call)
      },
      watch: (namespace, selection, signal, onOpen) => {
        refused()
        return kube.watch(namespace, selection, AbortSignal.any([signal, away.signal]), onOpen)
      },
    }
    await withAgent(reader, projectionYaml(folder, "[{configMap: ci/jobs}]"), async (agent) => {
      await untilReady(agent)
      away.abort(new Error("socket hang up"))
      await expect
        .poll(() => agent.readiness().reasons)
        .toEqual([expect.stringMatching(/^the record cannot be read: .*ECONNREFUSED/)])
      expect(agent.readiness().ready).toBe(true)
      away = new AbortController()
      // Nothing changes meanwhile: the watch that was opened is the answer.
      await untilReady(agent)
    })
  })
})
