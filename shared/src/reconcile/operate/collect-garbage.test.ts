import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../../config/local/embedded-kube/object-store.ts"
import { storeConfigMap, storeObjectName } from "../../bundle/store-config-map.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { buildFilesIndex, buildTargetsIndex, type IndexObject } from "../../record/build-index.ts"
import { openIntent } from "../../record/intents.ts"
import { newRecord, type SourceRecord } from "../../record/record.ts"
import { readRecord, recordConfigMap } from "../../record/record-config-map.ts"
import { rootMarks } from "../store/last-roots.ts"
import { STORE_SELECTOR, UNUSED_SINCE } from "../store/read-store.ts"
import { unmarked } from "../write/store-objects.ts"
import { collectGarbage } from "./collect-garbage.ts"

const signal = new AbortController().signal
const COMMIT = "c".repeat(40)

/** A store of one revision and one object that nobody names, under a record that `change` may change. */
async function storeWith(change: (record: SourceRecord) => SourceRecord = (record) => record) {
  const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const files = buildFilesIndex([])
  const root = buildTargetsIndex([{ namespace: "ci", name: "jobs", index: files.root, files: 0, bytes: 0 }])
  const stray = buildTargetsIndex([]).objects[0] as IndexObject
  for (const object of [...files.objects, ...root.objects, stray]) {
    await kube.create(storeConfigMap("headrace", object))
  }
  const record = { ...newRecord("release", { epoch: 0, seq: 1 }), commit: COMMIT, root: root.root }
  await kube.create(recordConfigMap("headrace", change(record)))
  const { name } = storeConfigMap("headrace", stray).metadata
  const time = { now: 1_000_000 }
  const ports = {
    kube,
    namespace: "headrace",
    clock: { now: () => time.now, sleep: async () => {} },
    grace: 60_000,
  }
  return { kube, ports, time, stray: () => kube.get("headrace", name) }
}

describe("collectGarbage", () => {
  it("marks what nobody names, and deletes it when it is still so after the grace time", async () => {
    const { ports, time, stray } = await storeWith()
    expect(await collectGarbage(ports, signal)).toMatchObject({ used: 2, marked: 1, deleted: 0 })
    time.now += 59_999
    expect(await collectGarbage(ports, signal)).toMatchObject({ marked: 0, deleted: 0 })
    time.now += 1
    expect(await collectGarbage(ports, signal)).toMatchObject({ used: 2, deleted: 1 })
    expect(await stray()).toBeUndefined()
  })

  it("leaves what a record names, though another program took the annotations off it", async () => {
    const { kube, ports, time } = await storeWith()
    const { items } = await kube.list("headrace", { labelSelector: STORE_SELECTOR })
    for (const item of items) await kube.replace({ ...item, metadata: { ...item.metadata, annotations: {} } })
    for (let times = 0; times < 3; times++) {
      await collectGarbage(ports, signal)
      time.now += 120_000
    }
    expect(await collectGarbage(ports, signal)).toMatchObject({ used: 2, marked: 0, deleted: 0 })
  })

  it("does nothing while an intent is open", async () => {
    const intent = { token: { epoch: 0, seq: 2 }, commit: COMMIT, rulesCommit: null, targets: [] }
    const { ports, stray } = await storeWith((record) => openIntent(record, intent))
    expect(await collectGarbage(ports, signal)).toMatchObject({
      marked: 0,
      skipped: expect.stringMatching(/intent/),
    })
    expect((await stray())?.metadata.annotations?.[UNUSED_SINCE]).toBeUndefined()
  })

  it("keeps what history names, and takes the mark off what is named again", async () => {
    const root = buildTargetsIndex([]).root
    const { ports, kube, stray } = await storeWith()
    await collectGarbage(ports, signal)
    const configMap = await kube.get("headrace", "release")
    const history = [{ commit: COMMIT, token: { epoch: 0, seq: 0 }, root }]
    const record = { ...newRecord("release", { epoch: 0, seq: 1 }), history }
    await kube.replace({
      ...recordConfigMap("headrace", record),
      metadata: configMap?.metadata ?? { namespace: "headrace", name: "release" },
    })
    expect(await collectGarbage(ports, signal)).toMatchObject({ unmarked: 1, marked: 2 })
    expect((await stray())?.metadata.annotations?.[UNUSED_SINCE]).toBeUndefined()
  })

  it("keeps what a record names that lost its labels", async () => {
    const { ports, kube } = await storeWith()
    const record = await kube.get("headrace", "release")
    if (record) await kube.replace({ ...record, metadata: { ...record.metadata, labels: {} } })
    expect(await collectGarbage(ports, signal)).toMatchObject({ used: 2, marked: 1 })
  })

  it.each([
    ["lost", undefined],
    ["blank", newRecord("release", { epoch: 9, seq: 0 })],
  ])("keeps the marked roots of a source whose record is %s, as far as they can be read", async (_, left) => {
    const { ports, kube, time, stray } = await storeWith()
    const record = (await kube.get("headrace", "release")) as ConfigMap
    const { root } = readRecord(record)
    const rootName = storeObjectName("index", root ?? "")
    const gone = buildFilesIndex([{ prefix: "", shard: "5".repeat(64), files: 1, bytes: 1, parts: [] }])
    const partial = buildTargetsIndex([
      { namespace: "ci", name: "gone", index: gone.root, files: 1, bytes: 1 },
      { namespace: "ci", name: "jobs", index: buildFilesIndex([]).root, files: 0, bytes: 0 },
    ])
    for (const object of partial.objects) await kube.create(storeConfigMap("headrace", object))
    for (const name of [rootName, storeObjectName("index", partial.root)]) {
      const object = (await kube.get("headrace", name)) as ConfigMap
      const annotations = { ...object.metadata.annotations, ...rootMarks("release", { epoch: 0, seq: 1 }) }
      await kube.replace({ ...object, metadata: { ...object.metadata, annotations } })
    }
    await kube.remove(record)
    if (left) await kube.create(recordConfigMap("headrace", left))
    const other = { ...newRecord("other", { epoch: 0, seq: 1 }), commit: COMMIT }
    await kube.create(recordConfigMap("headrace", other))
    for (let round = 0; round < 3; round++) {
      expect(await collectGarbage(ports, signal)).toMatchObject({ skipped: undefined })
      time.now += 60_000
    }
    expect(await kube.get("headrace", rootName)).toBeDefined()
    expect(await kube.get("headrace", storeObjectName("index", buildFilesIndex([]).root))).toBeDefined()
    expect(await stray(), "what is no root of it goes").toBeUndefined()
  })

  it("collects the roots of a source as before once its record shows a commit", async () => {
    const { ports, kube, time } = await storeWith()
    const stale = buildTargetsIndex([
      { namespace: "ci", name: "x", index: "6".repeat(64), files: 0, bytes: 0 },
    ])
    for (const object of stale.objects) {
      const { metadata, ...rest } = storeConfigMap("headrace", object)
      const annotations = { ...metadata.annotations, ...rootMarks("release", { epoch: 0, seq: 0 }) }
      await kube.create({ ...rest, metadata: { ...metadata, annotations } })
    }
    await collectGarbage(ports, signal)
    time.now += 60_000
    expect((await collectGarbage(ports, signal)).deleted).toBeGreaterThan(0)
    expect(await kube.get("headrace", storeObjectName("index", stale.root))).toBeUndefined()
  })

  it("loses against a writer that takes the mark off at the same time", async () => {
    const { ports, kube, time, stray } = await storeWith()
    await collectGarbage(ports, signal)
    time.now += 60_000
    const slow = {
      ...kube,
      async remove(...[configMap]: Parameters<typeof kube.remove>) {
        const marked = await stray()
        if (marked) await kube.replace(unmarked(marked))
        await kube.remove(configMap)
      },
    }
    expect(await collectGarbage({ ...ports, kube: slow }, signal)).toMatchObject({ deleted: 0 })
    expect(await stray()).toBeDefined()
  })

  it("takes nothing when an index that a record names is not there", async () => {
    const { ports } = await storeWith((record) => ({ ...record, root: "a".repeat(64) }))
    await expect(collectGarbage(ports, signal)).rejects.toThrow(
      expect.objectContaining({ code: "store/missing" }),
    )
  })
})
