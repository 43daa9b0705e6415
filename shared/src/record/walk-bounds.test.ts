import { describe, expect, it } from "vitest"
import type { StoreIndex } from "./store-index.ts"
import { findTarget, listShards, listTargets } from "./walk-index.ts"

const DIGITS = [..."0123456789abcdef"]

/** Pages by their digests, and how many were fetched. */
function pagesOf(pages: ReadonlyMap<string, StoreIndex>) {
  const fetched = { count: 0 }
  const fetch = async (digest: string) => {
    fetched.count += 1
    if (fetched.count > 1000) throw new Error("the walk does not end")
    const page = pages.get(digest)
    if (page === undefined) throw new Error(`no page ${digest}`)
    return page
  }
  return { fetch, fetched }
}

/** Branches that each name the next one for every digit: eight pages that stand for 16^8. */
function nested(leaf: StoreIndex, place: (depth: number, digit: string) => string) {
  const pages = new Map<string, StoreIndex>([["page8", leaf]])
  for (let depth = 7; depth >= 0; depth--) {
    const children = DIGITS.map((digit) => ({ prefix: place(depth, digit), index: `page${depth + 1}` }))
    pages.set(`page${depth}`, { format: 1, kind: "branch", children })
  }
  return pagesOf(pages)
}

const NO_TARGETS: StoreIndex = { format: 1, kind: "targets", targets: [] }

describe("a walk through indexes that name each other over and over", () => {
  it.each([
    ["of the same depth", (_: number, digit: string) => digit],
    ["of growing depth", (depth: number, digit: string) => "0".repeat(depth) + digit],
    ["all of one place", () => ""],
  ])("ends at the first page that is at another place: prefixes %s", async (_, place) => {
    const { fetch, fetched } = nested(NO_TARGETS, place)
    await expect(listTargets("page0", fetch)).rejects.toMatchObject({ code: "store/wrong-index" })
    expect(fetched.count).toBeLessThan(200)
    const again = nested(NO_TARGETS, place)
    await expect(listShards("page0", again.fetch)).rejects.toMatchObject({ code: "store/wrong-index" })
  })

  it("refuses entries that belong elsewhere", async () => {
    const entry = { prefix: "f", shard: "0".repeat(64), files: 1, bytes: 1, parts: [] }
    const { fetch } = pagesOf(
      new Map<string, StoreIndex>([
        ["root", { format: 1, kind: "branch", children: [{ prefix: "0", index: "leaf" }] }],
        ["leaf", { format: 1, kind: "files", shards: [entry] }],
      ]),
    )
    await expect(listShards("root", fetch)).rejects.toMatchObject({ code: "store/wrong-index" })
  })

  it("finds one target by one page of each depth", async () => {
    const { fetch, fetched } = nested(NO_TARGETS, () => "")
    await expect(findTarget("page0", { namespace: "a", name: "b" }, fetch)).rejects.toMatchObject({
      code: "store/wrong-index",
    })
    expect(fetched.count).toBe(1)
  })
})
