import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { createLog } from "../observe/log.ts"
import { adoptTarget } from "./operate/adopt-target.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"

const OWNER = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "1-2-3" }
const PROW = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }

/** A fixture whose API server changes what is written in a namespace, that of targets or another. */
function withWebhook(change: (configMap: ConfigMap) => ConfigMap, namespace = "ci"): ReconcileFixture {
  const changed = (configMap: ConfigMap) =>
    configMap.metadata.namespace === namespace ? change(configMap) : configMap
  return reconcileFixture(
    { "a/1.txt": "x" },
    {
      changeKube: (kube) => ({
        ...kube,
        create: (configMap, signal) => kube.create(changed(configMap), signal),
        replace: (configMap, signal) => kube.replace(changed(configMap), signal),
      }),
    },
  )
}

const WEBHOOKS: { [what: string]: { change(configMap: ConfigMap): ConfigMap; named: RegExp } } = {
  "changes a value": {
    change: (one) => ({ ...one, data: { ...one.data, "1.txt": "injected" } }),
    named: /changed the content of 1\.txt of ConfigMap ci\/alpha/,
  },
  "injects a key": {
    change: (one) => ({ ...one, data: { ...one.data, injected: "y" } }),
    named: /changed the content of injected of/,
  },
  "takes our annotations off": {
    change: (one) => ({ ...one, metadata: { ...one.metadata, annotations: {} } }),
    named: /changed Headrace's labels and annotations of/,
  },
  "takes our labels off": {
    change: (one) => ({ ...one, metadata: { ...one.metadata, labels: PROW } }),
    named: /changed Headrace's labels and annotations of/,
  },
}

it.each(Object.entries(WEBHOOKS))(
  "a webhook that %s is named, in every process and mode",
  async (_, { change, named }) => {
    const here = withWebhook(change)
    for (const mode of ["incremental", "full", "full", "incremental"] as const) {
      const { failed } = await here.run(mode)
      const alpha = failed.find(({ target }) => target === "ci/alpha")
      expect(alpha?.reason).toMatch(/^reconcile\/changed-on-write: /)
      expect(alpha?.reason).toMatch(named)
      Object.assign(here.ports, { memory: createReconcileMemory() })
    }
  },
)

const STORE_WEBHOOKS: { [what: string]: (configMap: ConfigMap) => ConfigMap } = {
  "takes the content away": ({ binaryData: _, ...rest }) => rest,
  "changes the content": (one) =>
    one.binaryData ? { ...one, binaryData: { "content.gz": Buffer.from("other").toString("base64") } } : one,
}

it.each(Object.entries(STORE_WEBHOOKS))(
  "a webhook in the records' namespace that %s is named, and no record names what no reader can use",
  async (_, change) => {
    let isOn = false
    const here = withWebhook((configMap) => (isOn ? change(configMap) : configMap), "headrace")
    await here.run()
    const { root } = await here.record()
    isOn = true
    here.commit({ "a/1.txt": "y" })
    for (let times = 0; times < 2; times++) {
      await expect(here.run()).rejects.toMatchObject({
        code: "reconcile/changed-on-write",
        message: expect.stringMatching(/content of ConfigMap headrace\/(shard|index)-/),
      })
      expect((await here.record()).root).toBe(root)
    }
    isOn = false
    expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
  },
)

it("a webhook that takes annotations off the store is named, and no rebuild counts as a write", async () => {
  const strip = (one: ConfigMap) =>
    one.binaryData ? { ...one, metadata: { ...one.metadata, annotations: {} } } : one
  const here = withWebhook(strip, "headrace")
  const lines: string[] = []
  Object.assign(here.ports, {
    log: createLog("test", { destination: { write: (line) => void lines.push(line) } }),
  })
  const versions = async () => {
    const { items } = await here.kube.list("headrace", {})
    return items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort()
  }
  await here.run()
  const first = await versions()
  for (let times = 0; times < 2; times++) expect(await here.run("full")).toMatchObject({ result: "noop" })
  expect(await versions()).toEqual(first)
  expect(lines.join("")).toContain("the API server keeps no annotations of a store object")
})

describe("what others put on a ConfigMap of ours", () => {
  it("stays: owners, finalizers, labels, annotations", async () => {
    const here = reconcileFixture({ "a/1.txt": "x" })
    const metadata = {
      namespace: "ci",
      name: "alpha",
      labels: { ...PROW, theirs: "1" },
      annotations: { "example.com/theirs": "2" },
      ownerReferences: [OWNER],
      finalizers: ["example.com/hold"],
    }
    await here.kube.create({ metadata, data: { "1.txt": "old" } })
    await here.run()
    here.commit({ "a/1.txt": "y" })
    await here.run()
    await adoptTarget(here.ports, "release", { namespace: "ci", name: "alpha" }, quiet)
    const alpha = await here.kube.get("ci", "alpha")
    expect(alpha?.data?.["1.txt"]).toBe("y")
    expect(alpha?.metadata).toMatchObject(metadata)
  })

  it("keeps one that is being deleted from being written and adopted; it is written when it is gone", async () => {
    let isDying = true
    const here = reconcileFixture(
      { "a/1.txt": "x" },
      {
        changeKube: (kube) => ({
          ...kube,
          async get(namespace, name, signal) {
            const found = await kube.get(namespace, name, signal)
            if (!isDying || name !== "alpha" || found === undefined) return found
            const metadata = { ...found.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" }
            return { ...found, metadata }
          },
        }),
      },
    )
    await here.kube.create({ metadata: { namespace: "ci", name: "alpha", labels: PROW }, data: { k: "old" } })
    here.writes.length = 0
    const { failed, result } = await here.run()
    expect(result).toBe("applied")
    expect(failed.map(({ target, reason }) => [target, reason.split(":")[0]])).toEqual([
      ["ci/alpha", "reconcile/terminating"],
    ])
    const adopting = adoptTarget(here.ports, "release", { namespace: "ci", name: "alpha" }, quiet)
    await expect(adopting).rejects.toMatchObject({ code: "adopt/terminating" })
    expect(here.writes.filter((write) => write.endsWith(" alpha"))).toEqual([])
    isDying = false
    await here.kube.remove((await here.kube.get("ci", "alpha")) as ConfigMap)
    expect(await here.run()).toMatchObject({ failed: [] })
    expect(await here.data("alpha")).toEqual({ "1.txt": "x" })
  })
})

it("trusts a remembered target by its content: a resourceVersion can come back with another", async () => {
  const here = reconcileFixture({ "a/1.txt": "x" })
  await here.run()
  const known = (await here.kube.get("ci", "alpha")) as ConfigMap
  const edited = { ...known, data: { ...known.data, "1.txt": "other" } }
  const before = here.kube.get
  const kube = {
    ...here.kube,
    async get(...args: Parameters<typeof before>) {
      return args[1] === "alpha" ? edited : before(...args)
    },
  }
  const found = await reconcile(
    { cluster: "east", source: "release", mode: "full" },
    { ...here.ports, kube },
    quiet,
  )
  expect(found.foreign).toMatchObject([{ target: "ci/alpha" }])
  expect(await here.data("alpha")).toEqual({ "1.txt": "x" })
})

it("carries files that are called as what every object has", async () => {
  const files = { "a/__proto__.txt": "1", "a/constructor.txt": "2", "a/toString.txt": "3" }
  const rules = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    k/**: {name: keys, clusters: {east: [ci]}}
`
  const here = reconcileFixture(
    { ...files, "k/__proto__": "p", "k/constructor": "c", "k/toString": "t" },
    { rules },
  )
  expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
  const { VERSION: _, ...data } = (await here.kube.get("ci", "keys"))?.data ?? {}
  expect(Object.entries(data).sort()).toEqual([
    ["__proto__", "p"],
    ["constructor", "c"],
    ["toString", "t"],
  ])
  here.commit({ "k/__proto__": "q" })
  expect(await here.run()).toMatchObject({ result: "applied", failed: [], foreign: [] })
  expect(Object.entries((await here.kube.get("ci", "keys"))?.data ?? {})).toContainEqual(["__proto__", "q"])
  Object.assign(here.ports, { memory: createReconcileMemory() })
  expect(await here.run("full")).toMatchObject({ result: "noop", written: 0, foreign: [] })
})
