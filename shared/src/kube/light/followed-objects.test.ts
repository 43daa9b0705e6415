import { getEventListeners } from "node:events"
import { expect, it } from "vitest"
import { FollowedObjects } from "./followed-objects.ts"

it("leaves nothing on the signal after a change, however many come", async () => {
  const objects = new FollowedObjects()
  const { signal } = new AbortController()
  for (let version = 1; version <= 3; version += 1) {
    const changed = objects.changed(signal)
    const metadata = { namespace: "ci", name: "x", resourceVersion: String(version) }
    objects.apply({ type: "modified", object: { metadata } })
    expect(await changed).toBe(true)
    objects.take()
  }
  expect(getEventListeners(signal, "abort")).toEqual([])
})
