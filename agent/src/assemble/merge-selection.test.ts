import { join } from "node:path"
import { shown } from "@headrace/test/harness/shown-files"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { writeConfigMap } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"

const SELECT = "[{live: {labelSelector: app=x}}]"

it("a ConfigMap that another namespace adds takes no key away: who had it keeps it, the loser is named, the rest shows", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const put = (namespace: string, name: string, data: Record<string, string>) =>
      writeConfigMap(kube, { metadata: { namespace, name, labels: { app: "x" } }, data })
    const yaml = projectionYaml(folder, SELECT).replace(/^record:.*\n/m, "")
    const now = () => shown(join(folder, "shown"))
    await put("team-b", "jobs", { "a.yaml": "b1", "b.yaml": "b1" })
    await withAgent(kube, yaml, async (agent) => {
      await untilReady(agent)
      await put("team-a", "evil", { "a.yaml": "evil", "c.yaml": "c1" })
      await expect.poll(now).toEqual({ "a.yaml": "b1", "b.yaml": "b1", "c.yaml": "c1" })
      expect(agent.readiness()).toEqual({
        ready: true,
        reasons: [
          'projection shown: ConfigMap team-a/evil, key a.yaml is not shown: ConfigMap team-b/jobs, key a.yaml has "a.yaml"',
        ],
      })
      await put("team-b", "jobs", { "a.yaml": "b2", "b.yaml": "b2" })
      await expect.poll(now).toEqual({ "a.yaml": "b2", "b.yaml": "b2", "c.yaml": "c1" })
    })
    // After a restart too, though the other comes first by its namespace.
    await withAgent(kube, yaml, async (agent) => {
      await expect.poll(() => agent.projections()[0]?.current).toBe(true)
      await put("team-c", "more", { "d.yaml": "d1" })
      await expect.poll(now).toEqual({ "a.yaml": "b2", "b.yaml": "b2", "c.yaml": "c1", "d.yaml": "d1" })
      const mine = await kube.get("team-b", "jobs")
      if (mine) await kube.remove(mine)
      await expect.poll(now).toEqual({ "a.yaml": "evil", "c.yaml": "c1", "d.yaml": "d1" })
      await untilReady(agent)
    })
  })
})
