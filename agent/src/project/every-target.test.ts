import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { filesBelow, shown } from "@headrace/test/harness/shown-files"
import { createTestCluster, projectionYaml, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import {
  NAMESPACE,
  revisionObjects,
  writeConfigMap,
  writeRevision,
} from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"

it("removes nothing because the record is gone, was never reconciled or cannot be read", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const yaml = projectionYaml(
      folder,
      "[{configMap: ci/jobs}]",
      `everyTarget: {path: ${folder}/every, durability: none}`,
    )
    await withAgent(kube, yaml, async (agent) => {
      await untilReady(agent)
      const there = await kube.get(NAMESPACE, "release")
      if (there) await kube.remove(there)
      await expect
        .poll(() => agent.readiness().reasons.join())
        .toContain("there is no record headrace/release")
    })
    const { record } = revisionObjects({ seq: 2, targets: {}, record: { commit: null, root: null } })
    await writeConfigMap(kube, record)
    await withAgent(kube, yaml, async (agent) => {
      await expect.poll(() => agent.readiness().reasons.join()).toContain("has no revision yet")
    })
    const broken: ConfigMapReader = { ...kube, list: () => Promise.reject(new Error("connection refused")) }
    await withAgent(broken, yaml, async (agent) => {
      await expect
        .poll(() => agent.readiness().reasons.join())
        .toContain("record not read yet: connection refused")
    })
    expect(await shown(join(folder, "shown"))).toEqual({ x: "one" })
    expect(await shown(join(folder, "every/ci/jobs"))).toEqual({ x: "one" })
  })
})

it("projects every target, those that appear later too, and empties one that has left", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const yaml = `{version: 1, record: headrace/release, everyTarget: {path: ${folder}/every, durability: none}}`
    const every = join(folder, "every")
    await writeRevision(kube, { seq: 1, targets: { "ci/one": { a: "1" }, "ci/two": { b: "2" } } })
    await withAgent(kube, yaml, async (agent) => {
      await untilReady(agent)
      expect([await shown(join(every, "ci/one")), await shown(join(every, "ci/two"))]).toEqual([
        { a: "1" },
        { b: "2" },
      ])
      await writeRevision(kube, { seq: 2, targets: { "ci/one": { a: "1" }, "ocp/three": { c: "3" } } })
      await expect.poll(() => shown(join(every, "ocp/three")).catch(() => ({}))).toEqual({ c: "3" })
      await expect.poll(() => shown(join(every, "ci/two"))).toEqual({})
      await untilReady(agent)
    })
    await writeRevision(kube, { seq: 3, targets: { "ocp/three": { c: "3" } } })
    await mkdir(join(every, "ci/foreign"))
    await writeFile(join(every, "ci/foreign/file"), "not ours")
    await withAgent(kube, yaml, async (agent) => {
      await expect.poll(() => shown(join(every, "ci/one"))).toEqual({})
      await untilReady(agent)
      expect(
        agent
          .projections()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(["ci/one", "ci/two", "everyTarget", "ocp/three"])
    })
    expect(await filesBelow(join(every, "ci/foreign"))).toEqual({ file: "not ours" })
  })
})

it("makes nothing outside of its folder, whatever names the store lists", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const yaml = `{version: 1, record: headrace/release, everyTarget: {path: ${folder}/every, durability: none}}`
    const targets = { "ci/good": { a: "1" }, "../escaped": { a: "1" }, "ci/..": { a: "1" } }
    await writeRevision(kube, { seq: 1, targets })
    await withAgent(kube, yaml, async (agent) => {
      await expect.poll(() => agent.readiness().reasons.join()).toContain("names that Kubernetes cannot have")
    })
    expect(await readdir(folder)).not.toContain("escaped")
  })
})
