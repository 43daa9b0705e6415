import { expect, it } from "vitest"
import { createWeightedCache } from "./weighted-cache.ts"

it("forgets the value unused for longest when the weight is exceeded", () => {
  const cache = createWeightedCache<string>(5, (value) => value.length)
  cache.set("a", "aa")
  cache.set("b", "bb")
  cache.get("a")
  cache.set("c", "cc")
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["aa", undefined, "cc"])
})

it("does not keep a value heavier than the limit, nor lose others for it", () => {
  const cache = createWeightedCache<string>(5, (value) => value.length)
  cache.set("a", "aa")
  cache.set("b", "bbbbbb")
  expect([cache.get("a"), cache.get("b")]).toEqual(["aa", undefined])
})

it("weighs a replaced value once", () => {
  const cache = createWeightedCache<string>(4, (value) => value.length)
  cache.set("a", "aa")
  cache.set("a", "aa")
  cache.set("b", "bb")
  expect([cache.get("a"), cache.get("b")]).toEqual(["aa", "bb"])
})

it("adds only where nothing else has to go", () => {
  const cache = createWeightedCache<string>(5, (value) => value.length)
  cache.add("a", "aa")
  cache.add("b", "bbb")
  cache.add("c", "c")
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["aa", "bbb", undefined])
  cache.clear()
  cache.add("c", "c")
  expect([cache.get("a"), cache.get("c")]).toEqual([undefined, "c"])
})

it("drops all but the keys to keep, and their weight", () => {
  const cache = createWeightedCache<string>(10, (value) => value.length)
  for (const key of ["a", "b", "c"]) cache.set(key, "xxx")
  cache.keepOnly(new Set(["b", "not there"]))
  expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([undefined, "xxx", undefined])
  cache.set("d", "x".repeat(7))
  expect(cache.get("b")).toBe("xxx")
})
