import { expect, it } from "vitest"
import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import { rootMarks } from "../store/last-roots.ts"
import { listLost } from "./lost-roots.ts"

const DAY = 24 * 3_600_000
const NOON = Date.parse("2026-01-01T12:00:00Z")

it("keeps the root that was in force when a source needs room, and none of a clock far ahead from before", async () => {
  const [ahead, after] = ["1".repeat(64), "2".repeat(64)]
  const items = [
    { digest: ahead, epoch: NOON + 40 * DAY, made: NOON },
    { digest: after, epoch: NOON + 60_000, made: NOON + 60_000 },
  ].map(({ digest, epoch, made }) => ({
    name: `index-${digest.slice(0, 40)}`,
    namespace: "headrace",
    labels: { "app.kubernetes.io/component": "index" },
    annotations: { [DIGEST_ANNOTATION]: digest, ...rootMarks("release", { epoch, seq: 1 }) },
    creationTimestamp: new Date(made).toISOString(),
  }))
  const fetch = async (): Promise<StoreIndex> => ({ format: 1, kind: "files", shards: [] })

  const listing = { items, records: [], most: NOON + DAY, fetch }
  expect([...(await listLost(listing, "release"))]).toEqual([after])
  expect([...(await listLost(listing))].sort(), "where no room is needed").toEqual([ahead, after])
})
