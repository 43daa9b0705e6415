import { join } from "node:path"
import type { Agent } from "@headrace/agent/project/agent"
import { shown } from "@headrace/test/harness/shown-files"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRepo } from "@headrace/test/harness/with-repo"
import { NAMESPACE, SOURCE, writeConfigMap, writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"

function settings(folder: string, from: string, record = ""): string {
  return `version: 1
${record && `record: headrace/${record}`}
mirrors: ${folder}/mirrors
projections:
  shown: {path: ${join(folder, "shown")}, durability: none, keep: {age: 0s}, from: ${from}}
`
}

type Kube = ReturnType<typeof createTestCluster>["kube"]

async function expectShown(kube: Kube, folder: string, yaml: string, text: string, cluster?: string) {
  await withAgent(
    kube,
    yaml,
    async (agent) => {
      await untilReady(agent)
      expect(await shown(join(folder, "shown"))).toEqual({ x: text })
    },
    cluster === undefined ? {} : { cluster },
  )
}

async function expectOlder(kube: Kube, folder: string, yaml: string, text: string) {
  await withAgent(kube, yaml, async (agent) => {
    await expect.poll(() => agent.projections()[0]?.problem?.code).toBe("projection/older")
    expect(await shown(join(folder, "shown"))).toEqual({ x: text })
  })
}

const JOBS = "[{configMap: ci/jobs}]"
const RECORD = (folder: string) => settings(folder, JOBS, SOURCE)

describe("a path that follows another source than before", () => {
  it("shows a record that was made again with smaller tokens, and the old one never again", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "A" } } })
      await expectShown(kube, folder, RECORD(folder), "A")
      const first = await kube.get(NAMESPACE, SOURCE)
      if (!first) throw new Error("there is no record")
      await kube.remove(first)
      // Kubernetes says when an object was made by the second.
      await new Promise((resolve) => setTimeout(resolve, 1100))
      await writeRevision(kube, { seq: 500, epoch: 1000, targets: { "ci/jobs": { x: "B" } } })
      await expectShown(kube, folder, RECORD(folder), "B")

      // A replica of the API server that is behind, or one that was restored, has the first one still.
      const past: Kube = {
        ...kube,
        list: async () => ({ items: [first], resourceVersion: "1" }),
        watch: async function* (_namespace, _selection, signal) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
        },
      }
      await expectOlder(past, folder, RECORD(folder), "B")
    })
  })

  it("shows a record of another cluster, and that of the first one when it comes back", async () => {
    await withFolder(async (folder) => {
      const [one, other] = [createTestCluster().kube, createTestCluster().kube]
      await writeRevision(other, { seq: 3, epoch: 1000, targets: { "ci/jobs": { x: "other" } } })
      await writeRevision(one, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "one" } } })
      await expectShown(one, folder, RECORD(folder), "one", "c1")
      await expectShown(other, folder, RECORD(folder), "other", "c2")
      await expectShown(one, folder, RECORD(folder), "one", "c1")
    })
  })

  it("shows a git branch after a record, and the record after it, but neither at less than it has shown", async () => {
    await withFolder((folder) =>
      withRepo(async (repo) => {
        const { kube } = createTestCluster()
        await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "record" } } })
        await expectShown(kube, folder, RECORD(folder), "record")
        await repo.commit({ x: "git" })
        const git = settings(folder, `[{git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s}}]`)
        await expectShown(kube, folder, git, "git")
        await expectShown(kube, folder, RECORD(folder), "record")
        await writeRevision(kube, { seq: 9, epoch: 2000, targets: { "ci/jobs": { x: "older" } } })
        await expectOlder(kube, folder, RECORD(folder), "record")
        await expectShown(kube, folder, git, "git")
      }),
    )
  })

  it("shows live objects after a record, whatever they counted, and the record's next revision", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      await writeRevision(kube, { seq: 10, epoch: 2000, targets: { "ci/jobs": { x: "record" } } })
      await expectShown(kube, folder, RECORD(folder), "record")
      const live = settings(folder, "[{live: {configMap: ci/l}}]")
      for (const text of ["1", "2", "3"]) {
        await writeConfigMap(kube, { metadata: { namespace: "ci", name: "l" }, data: { x: text } })
        await expectShown(kube, folder, live, text)
      }
      await writeRevision(kube, { seq: 11, epoch: 2000, targets: { "ci/jobs": { x: "next" } } })
      await expectShown(kube, folder, RECORD(folder), "next")
    })
  })
})

describe("a stranger's stamp with an epoch that no clock has", () => {
  it("enters no floor of a node", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const token = { epoch: 2000, seq: 10 }
      const commit = await writeRevision(kube, { ...token, targets: { "ci/jobs": { x: "record" } } })
      const metadata = { namespace: "ci", name: "jobs", labels: { "headrace.dev/source": SOURCE } }
      const ours = { format: "1", source: SOURCE, commit, epoch: "2000", seq: "10" }
      const stamp = (stamped: Record<string, string>) =>
        Object.fromEntries(Object.entries(stamped).map(([name, value]) => [`headrace.dev/${name}`, value]))
      const write = (annotations: Record<string, string>, x: string) =>
        writeConfigMap(kube, { metadata: { ...metadata, annotations }, data: { x } })
      const both = `${RECORD(folder)}  live: {path: ${join(folder, "live")}, durability: none, keep: {age: 0s}, from: [{live: {configMap: ci/jobs}}]}\n`
      const tokens = (agent: Agent) => agent.projections().map(({ shown: at }) => at?.token)

      await write(stamp({ ...ours, epoch: "900000000000000", seq: "900000000000000" }), "forged")
      await withAgent(kube, both, async (agent) => {
        await untilReady(agent)
        expect(await shown(join(folder, "live"))).toEqual({ x: "forged" })
        expect(tokens(agent)).toMatchObject([token, { epoch: 0 }])
        await write(stamp(ours), "repaired")
        await writeRevision(kube, { ...token, seq: 11, targets: { "ci/jobs": { x: "next" } } })
        await expect.poll(() => shown(join(folder, "live"))).toEqual({ x: "repaired" })
        await expect.poll(() => shown(join(folder, "shown"))).toEqual({ x: "next" })
        expect(tokens(agent)).toMatchObject([{ ...token, seq: 11 }, { epoch: 0 }])
      })
    })
  })
})

describe("several origins at one path", () => {
  it("give one revision whose id names all of them, and a new one when any of them changes", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const commit = await writeRevision(kube, { seq: 10, targets: { "ci/jobs": { x: "record" } } })
      await writeConfigMap(kube, { metadata: { namespace: "ci", name: "l" }, data: { y: "1" } })
      const from = "[{configMap: ci/jobs}, {live: {configMap: ci/l}}]"
      await withAgent(kube, settings(folder, from, SOURCE), async (agent) => {
        await untilReady(agent)
        const id = () => agent.projections()[0]?.shown?.id ?? ""
        const before = id()
        expect(before).toMatch(new RegExp(`^${commit.slice(0, 12)}-[0-9a-f]{12}$`))
        await writeConfigMap(kube, { metadata: { namespace: "ci", name: "l" }, data: { y: "2" } })
        await expect.poll(id).not.toBe(before)
        expect(id()).toMatch(new RegExp(`^${commit.slice(0, 12)}-[0-9a-f]{12}$`))
        expect(await shown(join(folder, "shown"))).toEqual({ x: "record", y: "2" })
      })
    })
  })
})
