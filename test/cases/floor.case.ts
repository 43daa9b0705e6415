import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { it } from "vitest"
import { shown } from "../harness/shown-files.ts"
import { createTestCluster, withAgent } from "../harness/with-agent.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withRepo } from "../harness/with-repo.ts"
import { writeConfigMap, writeRevision } from "../harness/write-revision.ts"

const yaml = (folder: string, record: string, from: string) => `version: 1
${record ? `record: headrace/${record}` : ""}
mirrors: ${folder}/mirrors
projections:
  shown: {path: ${join(folder, "shown")}, durability: none, keep: {age: 0s}, from: ${from}}
`
const look = async (kube: any, folder: string, y: string, what: string, ms = 2500) =>
  withAgent(kube, y, async (agent) => {
    await delay(ms)
    const [p] = agent.projections()
    console.log(
      "|",
      what,
      "|",
      JSON.stringify(await shown(join(folder, "shown")).catch(() => ({}))),
      p?.shown?.token && `${p.shown.token.epoch}.${p.shown.token.seq}`,
      p?.problem?.code ?? "",
      p?.problem?.message ?? "",
    )
  })
it("record A to record B of smaller epoch", async () =>
  withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "A" } } })
    await look(kube, folder, yaml(folder, "release", "[{configMap: ci/jobs}]"), "A: record of epoch 2000")
    await kube.remove((await kube.get("headrace", "release"))!)
    await writeRevision(kube, { seq: 500, epoch: 1000, targets: { "ci/jobs": { x: "B" } } })
    await look(
      kube,
      folder,
      yaml(folder, "release", "[{configMap: ci/jobs}]"),
      "B: another cluster/record of epoch 1000",
    )
  }))
it("record to git", async () =>
  withFolder(async (folder) =>
    withRepo(async (repo) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "A" } } })
      await look(kube, folder, yaml(folder, "release", "[{configMap: ci/jobs}]"), "record of epoch 2000")
      await repo.commit({ x: "from git" })
      await look(
        kube,
        folder,
        yaml(folder, "", `[{git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s}}]`),
        "then a git branch",
        4000,
      )
    }),
  ))
it("record to live and back", async () =>
  withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "A" } } })
    await look(kube, folder, yaml(folder, "release", "[{configMap: ci/jobs}]"), "record 2000.10")
    await withAgent(kube, yaml(folder, "", "[{live: {configMap: ci/l}}]"), async () => {
      for (let i = 0; i < 5; i++) {
        await writeConfigMap(kube, { metadata: { namespace: "ci", name: "l" }, data: { x: `live ${i}` } })
        await delay(700)
      }
    })
    await look(kube, folder, yaml(folder, "", "[{live: {configMap: ci/l}}]"), "live")
    await writeRevision(kube, { seq: 11, epoch: 2000, targets: { "ci/jobs": { x: "B" } } })
    await look(
      kube,
      folder,
      yaml(folder, "release", "[{configMap: ci/jobs}]"),
      "back to the record at 2000.11",
    )
  }))
