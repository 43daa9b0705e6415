import type { WatchEvent } from "@headrace/shared/kube/config-map-api"
import { expect, it } from "vitest"
import { clientContract, codeOf, configMap } from "./contract-suite.ts"
import { rawRequest } from "./raw-request.ts"

clientContract("reading and writing ConfigMaps", (client, given) => {
  it("gives undefined for what is not there", async () => {
    expect(await client().get(await given().namespace(), "none")).toBeUndefined()
  })

  it("gives back what was written, text and binary", async () => {
    const namespace = await given().namespace()
    const binaryData = { b: Buffer.from([0, 255, 10]).toString("base64") }
    const labels = { "app.kubernetes.io/name": "headrace" }
    const annotations = { "headrace.dev/digest": "ä" }
    const metadata = { namespace, name: "x", labels, annotations }
    const created = await client().create({ metadata, data: { a: "1\n" }, binaryData, immutable: true })
    const read = await client().get(namespace, "x")
    expect(read).toEqual(created)
    expect(read).toMatchObject({ metadata, data: { a: "1\n" }, binaryData, immutable: true })
    expect(read?.metadata.resourceVersion).toMatch(/^\d+$/)
    expect(read?.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  })

  it("refuses to create what is there", async () => {
    const namespace = await given().namespace()
    await client().create(configMap(namespace, "x"))
    expect(await codeOf(client().create(configMap(namespace, "x")))).toBe("kube/already-exists")
  })

  it("swaps the version that was read, and no other", async () => {
    const namespace = await given().namespace()
    const first = await client().create(configMap(namespace, "x", { a: "1" }))
    const second = await client().replace({ ...first, data: { a: "2" } })
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion)
    expect(second.metadata.uid).toBe(first.metadata.uid)
    expect(await codeOf(client().replace({ ...first, data: { a: "3" } }))).toBe("kube/conflict")
    expect((await client().get(namespace, "x"))?.data).toEqual({ a: "2" })
  })

  it("keeps the version of a write that changes nothing", async () => {
    const namespace = await given().namespace()
    const first = await client().create(configMap(namespace, "x", { a: "1" }))
    expect((await client().replace(first)).metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  it("says who else wrote last, as the API server notes it", async () => {
    const { server, namespace: newNamespace } = given()
    const namespace = await newNamespace()
    const first = await client().create(configMap(namespace, "x", { a: "1" }))
    expect(await client().otherWriter(namespace, "x")).toBeUndefined()
    if (server.inProcess === client()) return

    const { metadata } = first
    const path = `/api/v1/namespaces/${namespace}/configmaps/x`
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1", b: "hook's" } }
    const headers = { "user-agent": "hook/v0.0.0 (linux/amd64) kubernetes/$Format" }
    expect((await rawRequest(server, "PUT", path, body, headers)).status).toBe(200)
    expect(await client().otherWriter(namespace, "x")).toBe("hook")
    expect(await client().otherWriter(namespace, "none")).toBeUndefined()
  })

  it("removes the version that was read, no other, and not twice", async () => {
    const namespace = await given().namespace()
    const first = await client().create(configMap(namespace, "x", { a: "1" }))
    const second = await client().replace({ ...first, data: { a: "2" } })
    expect(await codeOf(client().remove(first))).toBe("kube/conflict")
    await client().remove(second)
    expect(await client().get(namespace, "x")).toBeUndefined()
    await client().remove(second)
  })

  it("writes nothing without the version of what was read", async () => {
    const namespace = await given().namespace()
    await client().create(configMap(namespace, "x", { a: "1" }))
    expect(await codeOf(client().replace(configMap(namespace, "x")))).toBe("kube/no-version")
    expect(await codeOf(client().remove(configMap(namespace, "x")))).toBe("kube/no-version")
    expect((await client().get(namespace, "x"))?.data).toEqual({ a: "1" })
  })

  it("replaces nothing that is not there", async () => {
    const metadata = { namespace: await given().namespace(), name: "x", resourceVersion: "1" }
    expect(await codeOf(client().replace({ metadata }))).toBe("kube/not-found")
  })

  it("distinguishes too large from invalid", async () => {
    const namespace = await given().namespace()
    const large = configMap(namespace, "x", { a: "x".repeat(1024 * 1024 + 1) })
    expect(await codeOf(client().create(large))).toBe("kube/too-large")
    expect(await codeOf(client().create(configMap(namespace, "x", { "a b": "1" })))).toBe("kube/invalid")
    expect(await codeOf(client().create(configMap("no-such-namespace", "x")))).toBe("kube/not-found")
  })

  it("lists metadata without what it is of", async () => {
    const namespace = await given().namespace()
    const labels = { on: "yes" }
    for (const name of ["a", "b"]) {
      const metadata = { namespace, name, labels, annotations: { digest: name } }
      await client().create({ metadata, data: { key: "x".repeat(1000) } })
    }
    await client().create(configMap(namespace, "c"))
    const selection = { labelSelector: "on=yes" }
    const { items } = await client().list(namespace, selection)
    const listed = await client().listMetadata(namespace, selection)
    expect(listed.map(({ name }) => name)).toEqual(["a", "b"])
    expect(listed).toEqual(items.map(({ metadata }) => metadata))
    expect(await client().listMetadata(namespace, { labelSelector: "on=no" })).toEqual([])
    const everywhere = await client().listMetadata("", selection)
    expect(everywhere.filter((metadata) => metadata.namespace === namespace)).toEqual(listed)
  })

  it("lists by namespace, label and field", async () => {
    const namespace = await given().namespace()
    for (const [name, on] of [
      ["a", "yes"],
      ["b", "no"],
      ["c", "yes"],
    ]) {
      const metadata = { namespace, name: name ?? "", labels: { on: on ?? "", ns: namespace } }
      await client().create({ metadata })
    }
    async function names(within: string, selection: object): Promise<string[]> {
      return (await client().list(within, selection)).items.map((item) => item.metadata.name)
    }
    expect(await names(namespace, {})).toEqual(["a", "b", "c"])
    expect(await names(namespace, { labelSelector: "on=yes" })).toEqual(["a", "c"])
    expect(await names("", { labelSelector: `on!=yes,ns=${namespace}` })).toEqual(["b"])
    expect(await names(namespace, { fieldSelector: "metadata.name=b" })).toEqual(["b"])
  })

  it("watches from a list: what is added, modified, deleted, begins and ceases to match", async () => {
    const namespace = await given().namespace()
    const on = { labelSelector: "on=yes" }
    const kept = await client().create({ metadata: { namespace, name: "a", labels: { on: "yes" } } })
    const { resourceVersion } = await client().list(namespace, on)
    const b = await client().create({ metadata: { namespace, name: "b", labels: { on: "yes" } } })
    await client().replace({ ...b, data: { k: "1" } })
    await client().remove(kept)
    const c = await client().create({ metadata: { namespace, name: "c" } })
    const matching = await client().replace({ ...c, metadata: { ...c.metadata, labels: { on: "yes" } } })
    await client().replace({ ...matching, metadata: { ...matching.metadata, labels: { on: "no" } } })
    await client().create({ metadata: { namespace, name: "last", labels: { on: "yes" } } })
    const events = await firstEvents(
      6,
      client().watch(namespace, { ...on, resourceVersion }, AbortSignal.timeout(150_000)),
    )
    expect(events.map(eventText)).toEqual([
      "added b",
      "modified b",
      "deleted a",
      "added c",
      "deleted c",
      "added last",
    ])
  })

  it("ends a watch in time without an error", async ({ skip }) => {
    skip(client() === given().server.inProcess, "no time limit without a server")
    const namespace = await given().namespace()
    const { resourceVersion } = await client().list(namespace, {})
    await client().create(configMap(namespace, "x"))
    const watch = client().watch(namespace, { resourceVersion }, new AbortController().signal)
    expect((await firstEvents(2, watch)).map(eventText)).toEqual(["added x"])
  })

  it("ends a watch at once when the caller aborts, with the caller's reason", async () => {
    const namespace = await given().namespace()
    const { resourceVersion } = await client().list(namespace, {})
    const stop = new AbortController()
    const reason = new Error("enough")
    setTimeout(() => stop.abort(reason), 50)
    const watch = client().watch(namespace, { resourceVersion }, stop.signal)
    await expect(firstEvents(1, watch)).rejects.toBe(reason)
  })

  it("says that a version is gone once its history is forgotten", async () => {
    const { server, namespace: create } = given()
    const namespace = await create()
    const { resourceVersion } = await client().list(namespace, {})
    await client().create(configMap(namespace, "x"))
    await server.forgetHistory()
    const watch = client().watch(namespace, { resourceVersion }, AbortSignal.timeout(150_000))
    expect(await codeOf(firstEvents(1, watch))).toBe("kube/gone")
    const again = await client().list(namespace, {})
    expect(again.items.map((item) => item.metadata.name)).toEqual(["x"])
  })
})

/** Changes of a watch until there are `count` events or it ends; bookmarks are left out. */
async function firstEvents(count: number, watch: AsyncIterable<WatchEvent>): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  for await (const event of watch) {
    if (event.type !== "bookmark") events.push(event)
    if (events.length === count) break
  }
  return events
}

function eventText(event: WatchEvent): string {
  return event.type === "bookmark" ? "bookmark" : `${event.type} ${event.object.metadata.name}`
}
