import { expect, it } from "vitest"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "../../../test/harness/with-agent.ts"
import { withFolder } from "../../../test/harness/with-folder.ts"
import { writeConfigMap, writeRevision } from "../../../test/harness/write-revision.ts"

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
