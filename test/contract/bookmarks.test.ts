import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { expect, it } from "vitest"
import { clientContract, configMap } from "./contract-suite.ts"

clientContract("bookmarks", (client, given) => {
  it("come before a watch ends, no older than changes that it selects not", async ({ skip }) => {
    skip(client() === given().server.inProcess, "no bookmarks without a server")
    const namespace = await given().namespace()
    const elsewhere = await given().namespace()
    const { resourceVersion } = await client().list(namespace, {})
    await client().create(configMap(namespace, "first"))
    const seen = await watchToItsEnd(client(), namespace, resourceVersion, async () => {
      // Only now is the watch sure to be open: the real server sends no bookmark that is no newer than its start.
      const created = await client().create(configMap(elsewhere, "x"))
      return Number(created.metadata.resourceVersion)
    })
    expect(seen.names).toEqual(["first"])
    expect(seen.bookmark).toBeGreaterThanOrEqual(seen.changed)
  })
})

/** Watches until the server ends it; `onFirst` makes a change once the first event has come, and gives its version. */
async function watchToItsEnd(
  client: ConfigMapWriter,
  namespace: string,
  resourceVersion: string,
  onFirst: () => Promise<number>,
): Promise<{ names: string[]; bookmark: number; changed: number }> {
  const names: string[] = []
  let bookmark = 0
  let changed = Number.POSITIVE_INFINITY
  for await (const event of client.watch(namespace, { resourceVersion }, new AbortController().signal)) {
    if (event.type === "bookmark") bookmark = Number(event.resourceVersion)
    else names.push(event.object.metadata.name)
    if (changed === Number.POSITIVE_INFINITY) changed = await onFirst()
  }
  return { names, bookmark, changed }
}
