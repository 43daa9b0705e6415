import { createTestCluster } from "@headrace/test/harness/with-agent"
import { NAMESPACE, writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { createStoreReader } from "./store-reader.ts"

it("fetches nothing twice while it is used, and drops what is not", async () => {
  const { kube } = createTestCluster()
  const text = "x".repeat(60_000)
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`f${at}`, `${at}${text}`]))
  await writeRevision(kube, { seq: 1, targets: { "ci/x": files } })
  const { items } = await kube.list(NAMESPACE, { labelSelector: "app.kubernetes.io/component=shard" })
  const digests = items.map(({ metadata }) => metadata.annotations?.["headrace.dev/digest"] ?? "")
  const [kept = "", dropped = ""] = digests
  expect(digests.length).toBeGreaterThan(1)

  let fetched = 0
  const { signal } = new AbortController()
  const onFetch = () => {
    fetched += 1
  }
  const store = createStoreReader({ reader: kube, namespace: NAMESPACE, signal, onFetch })
  for (const digest of [kept, dropped, kept, dropped]) await store.listing(digest)
  expect(fetched).toBe(2)
  store.keepOnly(new Set([`shard-${kept}`]))
  await store.listing(kept)
  expect(fetched).toBe(2)
  await store.listing(dropped)
  expect(fetched).toBe(3)
  // The listing is cached, the content was dropped.
  const [file] = await store.listing(kept)
  if (file) await store.content({ ...file, shard: kept })
  expect(fetched).toBe(4)
})
