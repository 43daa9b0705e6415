import type { Orphans } from "@headrace/shared/reconcile/operate/find-orphans"
import { expect, it } from "vitest"
import { recentOrphans } from "./recent-orphans.ts"

const { signal } = new AbortController()
const FOUND: Orphans = { found: [{ namespace: "ci", name: "old" }], unknown: undefined }
const UNKNOWN: Orphans = { found: [], unknown: "work is under way" }

it("lists once a minute for each cluster source, and asks again for what was not known", async () => {
  let time = 0
  let answer = UNKNOWN
  const asked: string[] = []
  const find = recentOrphans(
    {
      orphans: async (cluster, source) => {
        asked.push(`${source} in ${cluster}`)
        return answer
      },
    },
    () => time,
  )
  const look = (cluster: string) => find(cluster, "release", signal)
  expect(await look("east")).toBe(UNKNOWN)
  answer = FOUND
  expect([await look("east"), await look("east"), await look("west")]).toEqual([FOUND, FOUND, FOUND])
  expect(asked).toEqual(["release in east", "release in east", "release in west"])
  time = 60_000
  await look("east")
  expect(asked).toHaveLength(4)
})
