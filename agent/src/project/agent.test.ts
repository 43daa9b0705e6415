import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { RECORD_FORMAT } from "@headrace/shared/record/record"
import { shown } from "@headrace/test/harness/shown-files"
import {
  createTestCluster,
  projectionYaml,
  untilReady,
  untilShown,
  withAgent,
} from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import {
  commitOf,
  revisionObjects,
  writeConfigMap,
  writeRevision,
} from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"

/** The same reader, which counts what is got. */
function counted(reader: ConfigMapReader): { reader: ConfigMapReader; got: string[] } {
  const got: string[] = []
  return {
    got,
    reader: {
      ...reader,
      get(namespace, name, signal) {
        got.push(name)
        return reader.get(namespace, name, signal)
      },
    },
  }
}

it("shows a record's targets by key and by path, and follows each swap", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const steps = { "ci/steps/run.sh*": "#!/bin/sh\n", "ci/steps/deep/a.yaml": "a" }
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { "jobs/x.yaml": "one" }, "ci/steps": steps } })
    const from = "[{configMap: ci/jobs}, {configMap: ci/steps, under: steps, names: paths}]"
    await withAgent(kube, projectionYaml(folder, from), async (agent) => {
      await untilShown(agent, commitOf(1))
      const path = join(folder, "shown")
      expect(await shown(path)).toEqual({
        "x.yaml": "one",
        "steps/ci/steps/run.sh": "#!/bin/sh\n",
        "steps/ci/steps/deep/a.yaml": "a",
      })
      expect((await stat(join(path, "steps/ci/steps/run.sh"))).mode & 0o777).toBe(0o555)
      expect(await readlink(join(path, "..data"))).toMatch(new RegExp(`/${commitOf(1)}$`))

      await writeRevision(kube, {
        seq: 2,
        targets: { "ci/jobs": { "jobs/y.yaml": "two" }, "ci/steps": steps },
      })
      await untilShown(agent, commitOf(2))
      expect(Object.keys(await shown(path)).sort()).toEqual([
        "steps/ci/steps/deep/a.yaml",
        "steps/ci/steps/run.sh",
        "y.yaml",
      ])
      await untilReady(agent)
      expect(agent.readiness()).toEqual({ ready: true, reasons: [] })
    })
  })
})

it("fetches only the shards that are new, and after a restart nothing that it knows", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`f/${at}`, `${at} `.repeat(900)]),
    )
    await writeRevision(kube, { seq: 1, targets: { "ci/big": files, "ci/other": { a: "a" } } })
    const yaml = projectionYaml(folder, "[{configMap: ci/big}]")
    const first = counted(kube)
    await withAgent(first.reader, yaml, async (agent) => {
      await untilShown(agent, commitOf(1))
      expect(first.got.filter((name) => name.startsWith("shard-")).length).toBeGreaterThan(4)
      first.got.length = 0
      await writeRevision(kube, {
        seq: 2,
        targets: { "ci/big": { ...files, "f/7": "changed" }, "ci/other": { a: "a" } },
      })
      await untilShown(agent, commitOf(2))
      expect(first.got.map((name) => name.slice(0, 5))).toEqual(["index", "index", "shard"])
    })
    const second = counted(kube)
    await withAgent(second.reader, yaml, async (agent) => {
      await untilReady(agent)
      expect(second.got.map((name) => name.slice(0, 5))).toEqual(["index"])
    })
    const before = await shown(join(folder, "shown"))
    expect(Object.keys(before).length).toBe(400)
    expect(before["7"]).toBe("changed")
  })
})

it("names the target that blocks a projection and carries on with the others", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const more = `  blocked:
    path: ${join(folder, "blocked")}
    durability: none
    from: [{configMap: ci/jobs}, {configMap: ci/absent}]`
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]", more), async (agent) => {
      await expect
        .poll(() => agent.readiness().reasons.join("\n"))
        .toMatch(
          /^projection blocked: waits for ConfigMap ci\/absent: release has no such target at .* \[projection\/waits\]/,
        )
      expect(await shown(join(folder, "shown"))).toEqual({ x: "one" })
      await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { x: "one" }, "ci/absent": { y: "here" } } })
      await untilReady(agent)
      expect(await shown(join(folder, "blocked"))).toEqual({ x: "one", y: "here" })
    })
  })
})

it("says which target waits for a shard that is missing, and recovers when it appears", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const { store, record } = revisionObjects({ seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const shards = store.filter((object) => object.metadata.name.startsWith("shard-"))
    for (const object of store) if (!shards.includes(object)) await kube.create(object)
    await kube.create(record)
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]"), async (agent) => {
      await expect
        .poll(() => agent.readiness().reasons.join())
        .toMatch(/waits for ConfigMap ci\/jobs: store\/missing: headrace\/shard-[0-9a-f]{40} is not there/)
      for (const shard of shards) await kube.create(shard)
      await untilReady(agent)
      expect(await shown(join(folder, "shown"))).toEqual({ x: "one" })
    })
  })
})

it("refuses a shard that is not what its digest says", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const good = revisionObjects({ seq: 1, targets: { "ci/jobs": { x: "good" } } })
    const evil = revisionObjects({ seq: 1, targets: { "ci/jobs": { x: "evil" } } })
    const shardOf = (objects: typeof good) =>
      objects.store.find((object) => object.metadata.name.startsWith("shard-"))
    const { binaryData } = shardOf(evil) ?? {}
    for (const object of good.store)
      await kube.create(object === shardOf(good) && binaryData ? { ...object, binaryData } : object)
    await kube.create(good.record)
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]"), async (agent) => {
      await expect
        .poll(() => agent.readiness().reasons.join())
        .toMatch(/waits for ConfigMap ci\/jobs: .* does not hold/)
      await expect(readdir(join(folder, "shown/..data"))).rejects.toThrow("ENOENT")
    })
  })
})

it("names both sources of one path and publishes neither", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/one": { "a/x": "1" }, "ci/two": { "b/x": "2" } } })
    await withAgent(
      kube,
      projectionYaml(folder, "[{configMap: ci/one}, {configMap: ci/two}]"),
      async (agent) => {
        await expect
          .poll(() => agent.readiness().reasons.join())
          .toContain('two files for "x": ConfigMap ci/one, key x (a/x) and ConfigMap ci/two, key x (b/x)')
        await expect(readdir(join(folder, "shown/..data"))).rejects.toThrow("ENOENT")
      },
    )
  })
})

it("never goes below the token it has published, and follows a raised epoch back", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const old = { "ci/jobs": { x: "old" } }
    await writeRevision(kube, { seq: 9, targets: { "ci/jobs": { x: "new" } } })
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]"), async (agent) => {
      await untilShown(agent, commitOf(9))
      await writeRevision(kube, { seq: 8, targets: old })
      await expect.poll(() => agent.readiness().reasons.join()).toContain("[projection/older]")
      expect(await shown(join(folder, "shown"))).toEqual({ x: "new" })
      const commit = await writeRevision(kube, { seq: 8, epoch: 1, targets: old })
      await untilShown(agent, commit)
      expect(await shown(join(folder, "shown"))).toEqual({ x: "old" })
    })
  })
})

it("stops at a record of a newer format, with last good in force, and says so", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/jobs}]"), async (agent) => {
      await untilReady(agent)
      const { record } = revisionObjects({ seq: 2, targets: { "ci/jobs": { x: "two" } } })
      const text =
        record.data?.["record.json"]?.replace(/"format":\d+/, `"format":${RECORD_FORMAT + 1}`) ?? ""
      await writeConfigMap(kube, { ...record, data: { "record.json": text } })
      await expect.poll(() => agent.readiness().reasons.join()).toContain(`has format ${RECORD_FORMAT + 1}`)
      expect(await shown(join(folder, "shown"))).toEqual({ x: "one" })
    })
  })
})

it("shows a file of several parts", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const large = Array.from({ length: 300_000 }, (_, at) => at).join(" ")
    await writeRevision(kube, { seq: 1, targets: { "ci/large": { "a/large": large, "a/small": "s" } } })
    await withAgent(kube, projectionYaml(folder, "[{configMap: ci/large}]"), async (agent) => {
      await untilReady(agent)
      const files = await shown(join(folder, "shown"))
      expect(files.large === large).toBe(true)
      expect(files.small).toBe("s")
    })
  })
})

it("keeps what it knows apart from what it shows, and survives its loss or corruption", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const yaml = projectionYaml(folder, "[{configMap: ci/jobs}]")
    await withAgent(kube, yaml, untilReady)
    const known = join(folder, "shown/..known")
    const names = await readdir(known)
    expect(names.map((name) => name.slice(0, 6)).sort()).toEqual(["index-", "shard-"])
    for (const name of names) await writeFile(join(known, name), "torn")
    await writeRevision(kube, { seq: 2, targets: { "ci/jobs": { x: "two" } } })
    await withAgent(kube, yaml, async (agent) => {
      await untilReady(agent)
      expect(await shown(join(folder, "shown"))).toEqual({ x: "two" })
    })
  })
})

it.each([
  ["exchange", "{configMap: ci/jobs}"],
  ["file", "{configMap: ci/jobs, items: [{key: x, path: shown}]}"],
])("knows in layout %s what an earlier run read, and shows nothing of that", async (layout, from) => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one", y: "two" } } })
    const yaml = projectionYaml(folder, `[${from}]`, `    layout: ${layout}\n`)
    await withAgent(kube, yaml, untilReady)
    const path = join(folder, "shown")
    if (layout === "file") expect(await readFile(path, "utf8")).toBe("one")
    else expect((await readdir(path)).filter((name) => !name.startsWith("."))).toEqual(["x", "y"])
    expect(await readdir(folder)).toEqual([".headrace-shown", "shown"])
    const { reader, got } = counted(kube)
    await withAgent(reader, yaml, untilReady)
    // The index of all targets, which every revision has of its own.
    expect(got).toHaveLength(1)
  })
})
