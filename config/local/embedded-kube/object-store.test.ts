import { describe, expect, it } from "vitest"
import { ApiFailure } from "./api-failure.ts"
import { ObjectStore } from "./object-store.ts"
import { CONFIG_MAPS, LEASES } from "./resource-kind.ts"
import { labelMatcher } from "./selectors.ts"
import { eventFor } from "./watch-history.ts"

function configMap(name: string, data: Record<string, string>, metadata: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data }
}

function refusal(call: () => unknown): { code: number; reason: string | undefined } {
  try {
    call()
  } catch (error) {
    if (error instanceof ApiFailure) return { code: error.status.code, reason: error.status.reason }
    throw error
  }
  throw new Error("nothing was refused")
}

describe("ObjectStore", () => {
  it("swaps only the version that was read", () => {
    const store = new ObjectStore()
    const first = store.create(CONFIG_MAPS, "default", configMap("x", { a: "1" }))
    const { resourceVersion } = first.metadata
    store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "2" }, { resourceVersion }))
    const late = configMap("x", { a: "3" }, { resourceVersion })
    expect(refusal(() => store.replace(CONFIG_MAPS, "default", "x", late))).toEqual({
      code: 409,
      reason: "Conflict",
    })
    expect(store.get(CONFIG_MAPS, "default", "x").data).toEqual({ a: "2" })
  })

  it("goes back to a backup with its uids and versions, and uses later versions again", () => {
    const store = new ObjectStore()
    const first = store.create(CONFIG_MAPS, "default", configMap("x", { a: "1" }))
    const backup = store.snapshot()
    const { resourceVersion } = first.metadata
    const second = store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "2" }, { resourceVersion }))
    store.create(CONFIG_MAPS, "default", configMap("y", {}))
    store.restore(backup)
    expect(store.get(CONFIG_MAPS, "default", "x")).toEqual(first)
    expect(store.has(CONFIG_MAPS, "default", "y")).toBe(false)
    const other = store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "3" }, { resourceVersion }))
    expect(other.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
    expect(store.history(CONFIG_MAPS).since(Number(resourceVersion) - 1)).toBeUndefined()
  })

  it("overwrites a ConfigMap, but not a Lease, when no version is given", () => {
    const store = new ObjectStore()
    store.create(CONFIG_MAPS, "default", configMap("x", { a: "1" }))
    expect(store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "2" })).data).toEqual({ a: "2" })
    const lease = { metadata: { name: "l" }, spec: { holderIdentity: "a" } }
    store.create(LEASES, "default", lease)
    expect(refusal(() => store.replace(LEASES, "default", "l", lease))).toEqual({
      code: 422,
      reason: "Invalid",
    })
  })

  it("gives no new version to a write that changes nothing", () => {
    const store = new ObjectStore()
    const first = store.create(CONFIG_MAPS, "default", configMap("x", { a: "1" }))
    const before = store.resourceVersion
    const second = store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "1" }))
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    expect(store.resourceVersion).toBe(before)
  })

  it("is not changed by what a caller does to the body afterwards", () => {
    const store = new ObjectStore()
    const body = { metadata: { name: "x" }, data: { a: "1" } }
    store.create(CONFIG_MAPS, "default", body)
    body.data.a = "2"
    expect(store.get(CONFIG_MAPS, "default", "x").data).toEqual({ a: "1" })
  })

  it("remembers as many changes as the window holds, and knows what it has forgotten", () => {
    const store = new ObjectStore({ historyLimit: 2 })
    const start = store.resourceVersion
    for (const name of ["a", "b", "c"]) store.create(CONFIG_MAPS, "default", configMap(name, {}))
    const history = store.history(CONFIG_MAPS)
    expect(history.since(start)).toBeUndefined()
    expect(history.since(start + 1)?.map((change) => change.after?.metadata.name)).toEqual(["b", "c"])
    store.forgetHistory()
    expect(history.since(start + 2)).toBeUndefined()
    expect(history.since(store.resourceVersion)).toEqual([])
  })

  it("notifies a selecting watcher of an object that begins and ceases to match", () => {
    const store = new ObjectStore()
    const start = store.resourceVersion
    store.create(CONFIG_MAPS, "default", configMap("x", {}))
    store.replace(CONFIG_MAPS, "default", "x", configMap("x", {}, { labels: { on: "yes" } }))
    store.replace(CONFIG_MAPS, "default", "x", configMap("x", { a: "1" }, { labels: { on: "yes" } }))
    store.replace(CONFIG_MAPS, "default", "x", configMap("x", {}))
    store.remove(CONFIG_MAPS, "default", "x")
    const matches = labelMatcher("on=yes")
    const events = (store.history(CONFIG_MAPS).since(start) ?? []).map((change) => eventFor(change, matches))
    expect(events.map((event) => event?.type)).toEqual([undefined, "ADDED", "MODIFIED", "DELETED", undefined])
    expect(events[3]?.object.metadata.labels).toEqual({ on: "yes" })
    expect(events[3]?.object.metadata.resourceVersion).toBe(String(start + 4))
  })
})
