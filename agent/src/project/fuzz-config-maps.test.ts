import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import fc from "fast-check"
import { expect, it } from "vitest"

/** What no API server would let in, and a broken or hostile one might send all the same. */
const key = fc.oneof(
  fc.constantFrom(
    "../escape",
    "../../escape",
    "..data",
    "..rev",
    "..",
    ".",
    "",
    "/escape",
    "a/../../escape",
    "a\0b",
  ),
  fc.constantFrom("..known", "..rev/lock", "x".repeat(300), "a/b", "a", "\ud800", "__proto__", "constructor"),
  fc.string({ unit: "binary", maxLength: 20 }),
)
const text = fc.string({ unit: "binary", maxLength: 50 })
const base64 = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("base64")),
)
const entries = <Value>(value: fc.Arbitrary<Value>) =>
  fc.array(fc.tuple(key, value), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs))
const hostile = fc.record({ data: entries(text), binaryData: entries(base64) })

/** A server that holds one ConfigMap, which the test sets, whatever is in it. */
function openServer() {
  let current: ConfigMap = { metadata: { namespace: "ci", name: "x", resourceVersion: "1" } }
  let version = 1
  let wake = (): void => undefined
  const reader: ConfigMapReader = {
    get: async () => current,
    list: async () => ({ items: [current], resourceVersion: String(version) }),
    async *watch(_namespace, _selection, signal) {
      signal.addEventListener("abort", () => wake())
      while (!signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        if (!signal.aborted) yield { type: "modified", object: current }
      }
    },
  }
  return {
    reader,
    set(content: Pick<ConfigMap, "data" | "binaryData">): void {
      version += 1
      current = { metadata: { namespace: "ci", name: "x", resourceVersion: String(version) }, ...content }
      wake()
    },
  }
}

it("writes nothing outside, whatever keys and contents come, and shows the next good ones", async () => {
  await withFolder(async (folder) => {
    const { reader, set } = openServer()
    const path = join(folder, "outer/shown")
    const yaml = (gunzip: boolean) =>
      `{version: 1, projections: {shown: {path: ${path}, guard: off, durability: none, keep: {age: 0s}, from: [{live: {configMap: ci/x}, gunzip: ${gunzip}}]}}}`
    for (const gunzip of [false, true]) {
      await withAgent(reader, yaml(gunzip), async (agent) => {
        let round = 0
        await fc.assert(
          fc.asyncProperty(hostile, async (content) => {
            set(content)
            await new Promise((resolve) => setTimeout(resolve, 2))
            expect(await readdir(folder)).toEqual(["outer"])
            expect(await readdir(join(folder, "outer"))).toEqual(["shown"])
          }),
          { numRuns: 150 },
        )
        round += 1
        const good = `round ${round}, gunzip ${gunzip}`
        set(gunzip ? { binaryData: { good: gzipSync(good).toString("base64") } } : { data: { good } })
        await untilReady(agent)
        await expect.poll(() => readFile(join(path, "good"), "utf8")).toBe(good)
        const left = (await readdir(path)).filter(
          (name) => !["..data", "..rev", "..known", "good"].includes(name),
        )
        expect(left).toEqual([])
      })
    }
  })
})
