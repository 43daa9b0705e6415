import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { KubeError } from "../kube/kube-error.ts"
import { openIntent } from "../record/intents.ts"
import { newRecord } from "../record/record.ts"
import { recordConfigMap } from "../record/record-config-map.ts"
import { approveCommit } from "./operate/approve-commit.ts"
import { changeRecord } from "./record/change-record.ts"
import { createReconcileMemory } from "./run/memory.ts"
import { withoutRootMarks } from "./store/last-roots.ts"
import { STORE_SELECTOR } from "./store/read-store.ts"

const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [bad]}}
`
const PLACE = { namespace: "headrace", source: "release" }
const FILES = { "a/x.txt": "1", "b/y.txt": "1" }

/** What an API server answers for anything in the namespace `bad`. */
const ANSWERS: { [what: string]: { read?: KubeError; create: KubeError } } = {
  forbidden: {
    read: new KubeError("kube/forbidden", 'configmaps "beta" is forbidden: no rights', { status: 403 }),
    create: new KubeError("kube/forbidden", 'configmaps "beta" is forbidden: no rights', { status: 403 }),
  },
  missing: { create: new KubeError("kube/not-found", 'namespaces "bad" not found', { status: 404 }) },
  terminating: {
    create: new KubeError("kube/forbidden", "unable to create new content: it is being terminated", {
      status: 403,
    }),
  },
  "out of quota": {
    create: new KubeError("kube/forbidden", 'configmaps "beta" is forbidden: exceeded quota: q', {
      status: 403,
    }),
  },
}

it.each(Object.entries(ANSWERS))(
  "a namespace that is %s fails its targets alone, also for a new record",
  async (_, answer) => {
    let isBad = true
    let calls = 0
    const here = reconcileFixture(FILES, {
      rules: RULES,
      changeKube: (kube) => ({
        ...kube,
        async get(...args) {
          if (args[0] === "bad" && isBad) calls += 1
          if (args[0] === "bad" && isBad && answer.read) throw answer.read
          return kube.get(...args)
        },
        async create(configMap, signal) {
          if (configMap.metadata.namespace === "bad" && isBad) throw answer.create
          return kube.create(configMap, signal)
        },
      }),
    })
    const first = await here.run()
    expect(first).toMatchObject({ result: "applied", stopped: null })
    expect(first.failed.map(({ target }) => target)).toEqual(["bad/beta"])
    expect(first.failed[0]?.reason).toContain(answer.create.message.slice(-12))
    expect(await here.data("alpha")).toEqual({ "x.txt": "1" })
    expect(calls).toBeLessThanOrEqual(2)

    here.commit({ "a/x.txt": "2" })
    expect((await here.run()).failed).toHaveLength(1)
    expect(await here.data("alpha")).toEqual({ "x.txt": "2" })
    isBad = false
    expect(await here.run()).toMatchObject({ failed: [], stopped: null })
    expect((await here.kube.get("bad", "beta"))?.data?.["y.txt"]).toBe("1")
  },
)

it("judges what a target loses that could not be read, once it can be read again", async () => {
  const keys = (folder: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${folder}/${index}.txt`, `${index}`]))
  let isForbidden = false
  const here = reconcileFixture(
    { ...keys("a", 5), ...keys("b", 40) },
    {
      rules: RULES,
      changeKube: (kube) => ({
        ...kube,
        async get(...args) {
          if (isForbidden && args[0] === "bad") throw ANSWERS.forbidden?.create ?? new Error("no answer")
          return kube.get(...args)
        },
      }),
    },
  )
  await here.run()
  isForbidden = true
  // Other settings: what is in force is read from the targets.
  Object.assign(here.ports.settings, { repo: "org/other" })
  here.commit(Object.fromEntries(Object.keys(keys("b", 40)).map((path) => [path, undefined])))
  expect(await here.run()).toMatchObject({ stopped: null, failed: [{ target: "bad/beta" }] })
  isForbidden = false
  for (const mode of ["incremental", "full"] as const) {
    expect((await here.run(mode)).stopped?.code).toBe("guard/deleted-keys")
    expect(Object.keys((await here.kube.get("bad", "beta"))?.data ?? {})).toHaveLength(41)
  }
  await approveCommit({ ...here.ports, ...PLACE }, here.repository.tip(), quiet)
  expect(await here.run()).toMatchObject({ stopped: null, failed: [] })
  expect(Object.keys((await here.kube.get("bad", "beta"))?.data ?? {})).toEqual(["VERSION"])
})

const QUOTA = 25

/** A namespace of records that takes no more than QUOTA ConfigMaps. */
function limited(kube: ConfigMapWriter): ConfigMapWriter {
  return {
    ...kube,
    async create(configMap, signal) {
      const { namespace, name } = configMap.metadata
      const isFull = namespace === "headrace" && (await kube.listMetadata("headrace", {})).length >= QUOTA
      if (isFull) {
        const message = `configmaps "${name}" is forbidden: exceeded quota: q, requested: count/configmaps=1`
        throw new KubeError("kube/forbidden", message, { status: 403 })
      }
      return kube.create(configMap, signal)
    },
  }
}

async function count(here: ReconcileFixture): Promise<number> {
  return (await here.kube.listMetadata("headrace", {})).length
}

it("removes garbage first where our own namespace is at its quota, and then writes", async () => {
  const here = reconcileFixture({ "a/1.txt": "x" }, { changeKube: limited })
  for (let merge = 0; merge < 20; merge++) {
    here.commit({ "a/1.txt": `v${merge}` })
    expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
    expect(await count(here)).toBeLessThanOrEqual(QUOTA)
  }
  expect(await here.data("alpha")).toEqual({ "1.txt": "v19" })
  expect((await here.record()).intents).toEqual([])
  // All that the record and its history name is there: a rebuild writes nothing.
  Object.assign(here.ports, { memory: createReconcileMemory() })
  expect(await here.run("full")).toMatchObject({ result: "noop", written: 0 })
})

describe("at the quota of our own namespace, a source whose record is lost", () => {
  function filler(number: number): ConfigMap {
    return { metadata: { namespace: "headrace", name: `filler-${number}` } }
  }

  /** Merges leave what no record names; then the record is lost, and other objects fill the namespace. */
  async function fullAndLost(): Promise<ReconcileFixture> {
    const here = reconcileFixture({ "a/1.txt": "x" }, { changeKube: limited })
    for (let merge = 0; merge < 6; merge++) {
      here.commit({ "a/1.txt": `v${merge}` })
      await here.run()
    }
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    while ((await count(here)) < QUOTA) await here.kube.create(filler(await count(here)))
    Object.assign(here.ports, { memory: createReconcileMemory() })
    return here
  }

  it.each(["lost", "blank"])("is written again once garbage is gone (%s)", async (what) => {
    const here = await fullAndLost()
    if (what === "blank") {
      await here.kube.remove((await here.kube.get("headrace", filler(QUOTA - 1).metadata.name)) as ConfigMap)
      await here.kube.create(recordConfigMap("headrace", newRecord("release", { epoch: 1, seq: 0 })))
    }
    here.commit({ "a/1.txt": "last" })
    expect(await here.run()).toMatchObject({ result: "applied", failed: [], stopped: null })
    expect(await here.data("alpha")).toEqual({ "1.txt": "last" })
    expect(await count(here)).toBeLessThanOrEqual(QUOTA)
  })

  it("keeps what was in force: a commit that deletes it is judged", async () => {
    const here = await fullAndLost()
    const guard = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 0 }
    Object.assign(here.ports, { settings: { ...here.ports.settings, guard } })
    await here.kube.remove((await here.kube.get("ci", "alpha")) as ConfigMap)
    here.commit({ "a/1.txt": undefined })
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
  })

  it("keeps what a version may have written that marked no roots", async () => {
    const here = await fullAndLost()
    const items = await here.kube.listMetadata("headrace", { labelSelector: STORE_SELECTOR })
    for (const { name } of items) {
      const object = (await here.kube.get("headrace", name)) as ConfigMap
      await here.kube.replace({ ...object, metadata: withoutRootMarks(object.metadata) })
    }
    await expect(here.run()).rejects.toThrow(/exceeded quota/)
    const left = await here.kube.listMetadata("headrace", { labelSelector: STORE_SELECTOR })
    expect(left.map(({ name }) => name).sort()).toEqual(items.map(({ name }) => name).sort())
  })
})

it("removes nothing while another source's writer is at work: the run fails, and names the quota", async () => {
  const here = reconcileFixture({ "a/1.txt": "x" }, { changeKube: limited })
  await here.kube.create(recordConfigMap("headrace", newRecord("other", { epoch: 1, seq: 1 })))
  const other = { kube: here.kube, namespace: "headrace", source: "other", clock: here.ports.clock }
  const intent = {
    token: { epoch: 1, seq: 2 },
    commit: "a".repeat(40),
    rulesCommit: null,
    targets: "all" as const,
  }
  await changeRecord(other, (record) => openIntent(record, intent), quiet)
  const runs = async () => {
    for (let merge = 0; merge < 20; merge++) {
      here.commit({ "a/1.txt": `v${merge}` })
      await here.run()
    }
  }
  await expect(runs()).rejects.toThrow(/exceeded quota/)
  await changeRecord(other, (record) => ({ ...record, intents: [] }), quiet)
  expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
})
