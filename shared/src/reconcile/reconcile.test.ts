import { gzipSync } from "node:zlib"
import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  RULES,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { modelRepository } from "@headrace/test/model/model-repository"
import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { openStoreConfigMap, storeObjectName } from "../bundle/store-config-map.ts"
import { unpackShard } from "../bundle/unpack-shard.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { KubeError } from "../kube/kube-error.ts"
import { newObjectsOf } from "../record/new-objects.ts"
import { committedAt, readRecord } from "../record/record-config-map.ts"
import { listShards, listTargets, parseIndex } from "../record/walk-index.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"

async function storedFiles(here: ReconcileFixture): Promise<{ [place: string]: string }> {
  async function read(kind: "index" | "shard", digest: string) {
    const object = await here.kube.get("headrace", storeObjectName(kind, digest))
    if (object === undefined) throw new Error(`no ${kind} ${digest}`)
    return openStoreConfigMap(object, digest)
  }
  async function fetch(digest: string) {
    return parseIndex(await read("index", digest), digest)
  }
  const files: { [place: string]: string } = {}
  for (const target of await listTargets((await here.record()).root ?? "", fetch)) {
    for (const entry of await listShards(target.index, fetch)) {
      for (const file of unpackShard(await read("shard", entry.shard))) {
        files[`${target.name}/${file.key}`] = "content" in file ? file.content.toString() : "(parts)"
      }
    }
  }
  return files
}

describe("reconcile", () => {
  it("notes on the record when its commit was made, and no time of another commit", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const committed = async () => {
      const configMap = await here.kube.get("headrace", "release")
      return configMap && committedAt(configMap, readRecord(configMap))
    }
    await here.run()
    expect(await committed()).toBe(1000)
    here.commit({ "a/x.txt": "two" })
    await here.run()
    expect(await committed()).toBe(2000)
  })

  it("notes on the record what a small change added to the store, each object of it there", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/c/y.txt": "two" })
    await here.run()
    here.commit({ "a/x.txt": "new" })
    const names = async () =>
      here.kube.listMetadata("headrace", {}).then((all) => all.map(({ name }) => name))
    const before = await names()
    await here.run()

    const configMap = await here.kube.get("headrace", "release")
    const added = configMap && newObjectsOf(configMap)
    expect(added?.root).toBe(configMap && readRecord(configMap).root)
    expect(Object.keys(added?.targets ?? {})).toEqual(["ci/alpha"])
    const { indexes = [], shards = [] } = added?.targets["ci/alpha"] ?? {}
    const noted = [...(added?.indexes ?? []), ...indexes].map((digest) => storeObjectName("index", digest))
    const made = (await names()).filter((name) => !before.includes(name))
    expect([...noted, ...shards.map((digest) => storeObjectName("shard", digest))].toSorted()).toEqual(
      made.filter((name) => name !== storeObjectName("index", added?.root ?? "")).toSorted(),
    )
  })

  it("notes nothing of a change of many targets, and keeps what it noted of an earlier root", async () => {
    const numbers = [0, 1, 2, 3, 4]
    const files = (text: string) => Object.fromEntries(numbers.map((n) => [`many/${n}/f.txt`, text]))
    const maps = numbers.map((n) => `    many/${n}/*: {name: many-${n}, clusters: {east: [ci]}}\n`)
    const here = reconcileFixture(files("one"), { rules: `config_updater:\n  maps:\n${maps.join("")}` })
    const added = async () => {
      const configMap = await here.kube.get("headrace", "release")
      return configMap && newObjectsOf(configMap)
    }
    await here.run()
    expect(await added()).toBeUndefined()
    here.commit({ "many/0/f.txt": "two" })
    await here.run()
    const small = await added()
    expect(Object.keys(small?.targets ?? {})).toEqual(["ci/many-0"])
    here.commit(files("three"))
    await here.run()
    expect(await added()).toEqual(small)
  })

  it("writes what the rules give this cluster, as Prow does, and the same to the store", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/c/y.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "applied", commit: here.repository.tip(), failed: [] })
    const beta = await here.kube.get("ci", "beta")
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    expect(beta?.data).toEqual({ VERSION: here.repository.tip() })
    expect(beta?.binaryData).toEqual({ "b-c-y.txt": gzipSync("two").toString("base64") })
    expect(beta?.metadata.labels).toMatchObject({
      "app.kubernetes.io/name": "prow",
      "app.kubernetes.io/component": "updateconfig-plugin",
    })
    expect(await storedFiles(here)).toEqual({ "alpha/x.txt": "one", "beta/b-c-y.txt": "two" })
    expect(await here.record()).toMatchObject({
      token: { epoch: FIXTURE_START, seq: 1 },
      intents: [],
      stopped: null,
    })
  })

  it("writes one shard, its index path, one ConfigMap and the record for a change of one file", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "a/z.txt": "zed", "b/y.txt": "two" })
    await here.run()
    here.writes.length = 0
    here.commit({ "a/x.txt": "changed" })
    await here.run()
    expect(here.writes.sort()).toEqual(
      [
        "create index",
        "create index",
        "create shard",
        "replace alpha",
        "replace release",
        "replace release",
      ].sort(),
    )
    expect(await storedFiles(here)).toMatchObject({ "alpha/x.txt": "changed", "alpha/z.txt": "zed" })
  })

  it("writes nothing at all when it rebuilds an unchanged tree, cold or warm", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
    await here.run()
    here.writes.length = 0
    expect(await here.run("full")).toMatchObject({ result: "noop", written: 0 })
    Object.assign(here.ports, { memory: createReconcileMemory() })
    expect(await here.run("full")).toMatchObject({ result: "noop", written: 0 })
    expect(await here.run()).toMatchObject({ result: "noop" })
    expect(here.writes).toEqual([])
  })

  it("puts back on a rebuild what was edited by hand, and what the store lost", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
    await here.run()
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.replace({ ...alpha, data: { "x.txt": "edited", stray: "s" } })
    const shards = await here.kube.list("headrace", { labelSelector: "app.kubernetes.io/component=shard" })
    for (const shard of shards.items) await here.kube.remove(shard)
    await here.run("full")
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    expect(await storedFiles(here)).toEqual({ "alpha/x.txt": "one", "beta/b-y.txt": "two" })
  })

  it("keeps keys that no rule ever named where it is configured to, and removes those of deleted files", async () => {
    const here = reconcileFixture(
      { "a/x.txt": "one", "a/z.txt": "zed", "a/w.txt": "w" },
      { settings: { foreignKeys: "keep" } },
    )
    await here.run()
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.replace({ ...alpha, data: { ...alpha.data, stray: "s" } })
    here.commit({ "a/z.txt": undefined })
    await here.run()
    expect(await here.data("alpha")).toEqual({ "x.txt": "one", "w.txt": "w", stray: "s" })
  })

  it("leaves no key behind where it does not know at first whose it is", async () => {
    const files = { "a/x.txt": "one", "a/z.txt": "zed", "a/w.txt": "w" }
    const here = reconcileFixture(files, { settings: { foreignKeys: "keep" } })
    await here.run()
    const first = here.repository.tip()
    here.commit({ "a/z.txt": undefined })
    const { tree } = here.repository
    let asked = 0
    const repository = {
      ...here.repository,
      async tree(...args: Parameters<typeof tree>) {
        // The second time is for the stamp; the plan in force was asked for before.
        if (args[0] === first && ++asked === 2) throw new HeadraceError("git/failed", "git was killed")
        return tree(...args)
      },
    }
    const plans = { get: () => undefined, set: () => {} }
    const memory = { ...createReconcileMemory(), plans }
    Object.assign(here.ports, { memory, repository, rulesRepository: repository })
    expect((await here.run()).failed).toMatchObject([{ target: "ci/alpha" }])
    expect(await here.run()).toMatchObject({ failed: [] })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one", "w.txt": "w" })
  })

  it("says that its namespace is missing, where it is", async () => {
    const here = reconcileFixture({}, { changeKube: () => inProcessClient(new ObjectStore()) })
    await expect(here.run()).rejects.toMatchObject({
      code: "kube/not-found",
      message: expect.stringContaining("headrace"),
    })
  })

  it("refuses a writer that woke up late", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const first = here.commit({ "a/x.txt": "old" })
    let wake = (): void => {}
    const paused = new Promise<void>((resolve) => (wake = resolve))
    const slow: ConfigMapWriter = {
      ...here.kube,
      async replace(configMap) {
        if (configMap.metadata.name === "alpha") await paused
        return here.kube.replace(configMap)
      },
    }
    const late = reconcile(
      { cluster: "east", source: "release", mode: "incremental" },
      { ...here.ports, kube: slow },
      quiet,
    )
    await expect
      .poll(async () => (await here.record()).intents)
      .toMatchObject([{ commit: first, targets: ["ci/alpha"] }])
    here.commit({ "a/x.txt": "one" })
    await here.run()
    wake()
    expect(await late).toMatchObject({ result: "superseded" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    expect((await here.record()).commit).toBe(here.repository.tip())
  })

  it("lists a target it may not write, writes the rest, and tries again", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
    await here.kube.create({ metadata: { namespace: "ci", name: "alpha" }, data: { theirs: "yes" } })
    const outcome = await here.run()
    expect(outcome).toMatchObject({ result: "applied", failed: [{ target: "ci/alpha" }] })
    expect(outcome.failed[0]?.reason).toMatch(/not Headrace's or Prow's/)
    expect(await here.data("alpha")).toEqual({ theirs: "yes" })
    const theirs = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.remove(theirs)
    expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
  })

  it("leaves alone what a newer Headrace wrote", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    const annotations = { ...alpha.metadata.annotations, "headrace.dev/format": "2" }
    await here.kube.replace({ ...alpha, metadata: { ...alpha.metadata, annotations } })
    // With a record that we read, it would be a stranger's (forged-stamps.test.ts).
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    here.commit({ "a/x.txt": "two" })
    const outcome = await here.run()
    expect(outcome.failed).toMatchObject([{ target: "ci/alpha" }])
    expect(outcome.failed[0]?.reason).toMatch(/^reconcile\/newer-format:/)
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
  })

  it("takes rules from another source, and counts the commits of both in the token", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
    const rules = modelRepository(new Map([["rules.yaml", RULES]]))
    Object.assign(here.ports, { rulesRepository: rules })
    expect(await here.run()).toMatchObject({ result: "applied", token: { epoch: FIXTURE_START, seq: 2 } })
    rules.push(
      rules.add([rules.tip()], new Map([["rules.yaml", RULES.replace("name: alpha", "name: gamma")]])),
    )
    expect(await here.run()).toMatchObject({ result: "applied", token: { epoch: FIXTURE_START, seq: 3 } })
    expect(await here.data("gamma")).toEqual({ "x.txt": "one" })
    expect((await here.record()).rulesCommit).toBe(rules.tip())
  })

  it("waits out a server that is busy, and survives an answer that got lost", async () => {
    const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
    const failures = new Map<string, number>()
    function flaky<Input>(verb: string, call: (input: Input) => Promise<ConfigMap>) {
      return async (input: Input): Promise<ConfigMap> => {
        const name = (input as ConfigMap).metadata.name
        const count = (failures.get(`${verb} ${name}`) ?? 0) + 1
        failures.set(`${verb} ${name}`, count)
        if (count === 1) throw new KubeError("kube/too-many-requests", "slow down", { retryAfter: 10 })
        const result = await call(input)
        if (count === 2) throw new KubeError("kube/timeout", "no answer")
        return result
      }
    }
    Object.assign(here.ports, {
      kube: {
        ...here.kube,
        create: flaky("create", here.kube.create),
        replace: flaky("replace", here.kube.replace),
      },
    })
    expect(await here.run()).toMatchObject({ failed: [], commit: here.repository.tip() })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    expect(await here.record()).toMatchObject({ intents: [], failed: [] })
  })
})
