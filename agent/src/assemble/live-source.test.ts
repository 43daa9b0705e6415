import { gzipSync } from "node:zlib"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NO_INPUTS } from "./inputs.ts"
import { createLiveSource, type LiveSourceOptions } from "./live-source.ts"

function configMap(
  name: string,
  data: Record<string, string>,
  binaryData?: Record<string, string>,
): ConfigMap {
  return { metadata: { namespace: "ci", name }, data, ...(binaryData ? { binaryData } : {}) }
}

async function shown(options: Partial<LiveSourceOptions>, configMaps: readonly ConfigMap[] | undefined) {
  const source = createLiveSource({ id: "s", uniqueNames: false, optional: false, gunzip: false, ...options })
  const live = new Map(configMaps ? [["s", configMaps]] : [])
  const { files, key } = await source.assemble({ ...NO_INPUTS, live })
  const texts = await Promise.all(
    files.map(
      async (file) => [file.path, `${file.mode.toString(8)} ${(await file.read()).toString()}`] as const,
    ),
  )
  return { files: Object.fromEntries(texts), key }
}

describe("live ConfigMaps", () => {
  it("show every key as a file, text and binary", async () => {
    const map = configMap("x", { b: "two", a: "one" }, { c: Buffer.from("three").toString("base64") })
    expect((await shown({}, [map])).files).toEqual({ a: "444 one", b: "444 two", c: "444 three" })
  })

  it("show items at their paths with their modes, and wait for a missing key unless optional", async () => {
    const items = [
      { key: "a", path: "dir/first", mode: 0o400 },
      { key: "gone", path: "never" },
    ]
    const map = configMap("x", { a: "one", b: "two" })
    await expect(shown({ items }, [map])).rejects.toThrow(
      "waits for ConfigMap ci/x, key gone: it has no such key",
    )
    expect((await shown({ items, optional: true, mode: 0o440 }, [map])).files).toEqual({
      "dir/first": "400 one",
    })
  })

  it("wait for what was not read, and for a ConfigMap that is not there unless it is optional", async () => {
    await expect(shown({ place: "ci/x" }, undefined)).rejects.toThrow(
      "waits for ConfigMap ci/x: not read yet",
    )
    await expect(shown({ place: "ci/x" }, [])).rejects.toThrow("waits for ConfigMap ci/x: it is not there")
    expect((await shown({ place: "ci/x", optional: true }, [])).files).toEqual({})
  })

  it("keep equal keys of several apart when asked to", async () => {
    const both = [configMap("two", { a: "2" }), configMap("one", { a: "1" })]
    const { files } = await shown({ uniqueNames: true, under: "all" }, both)
    expect(files).toEqual({ "all/ci.one/a": "444 1", "all/ci.two/a": "444 2" })
  })

  it("undo gzip where configured to and nowhere else", async () => {
    const packed = gzipSync("plain").toString("base64")
    const map = configMap("x", {}, { "a.gz": packed, "b.gz": packed })
    const { files } = await shown({ gunzip: ["a.gz"] }, [map])
    expect(files["a.gz"]).toBe("444 plain")
    expect(files["b.gz"]).not.toContain("plain")
  })

  it("refuse a gzip bomb and a torn one by name", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString("base64")
    const torn = gzipSync("some text").subarray(0, 15).toString("base64")
    for (const content of [bomb, torn]) {
      await expect(shown({ gunzip: true }, [configMap("x", {}, { k: content })])).rejects.toThrow(
        "ConfigMap ci/x, key k cannot be gunzipped",
      )
    }
  })

  it.each<[string, Partial<LiveSourceOptions>, ConfigMap, string]>([
    [
      "a key that is no gzip",
      { gunzip: true },
      configMap("bad", { b: "plain" }),
      "the rest is shown: projection/bad-gzip: ConfigMap ci/bad, key b cannot be gunzipped",
    ],
    [
      "a key that it lacks",
      { gunzip: true, items: [{ key: "a", path: "a" }], uniqueNames: true },
      configMap("bad", {}),
      "the rest is shown: projection/waits: waits for ConfigMap ci/bad, key a: it has no such key",
    ],
  ])("of a selection are shown without one that has no right files: %s", async (_, options, bad, warning) => {
    const gzip = (text: string) => gzipSync(text).toString("base64")
    const source = createLiveSource({
      id: "s",
      uniqueNames: false,
      optional: false,
      gunzip: false,
      ...options,
    })
    const read = async (...configMaps: ConfigMap[]) => {
      const { files, warnings } = await source.assemble({ ...NO_INPUTS, live: new Map([["s", configMaps]]) })
      const texts = await Promise.all(files.map(async (file) => (await file.read()).toString()))
      return { texts, warnings }
    }
    const right = configMap("right", {}, { a: gzip("1") })
    const later = configMap("right", {}, { a: gzip("2") })
    const name = options.uniqueNames ? "a" : "b"

    expect((await read(right)).texts).toEqual(["1"])
    expect((await read(bad, later)).texts).toEqual(["2"])
    expect((await read(bad, later)).warnings?.[0]).toContain(warning)
    // It keeps what it had, once it was right.
    const once = configMap("bad", {}, { [name]: gzip("once") })
    expect((await read(once, later)).texts).toEqual(["once", "2"])
    expect((await read(bad, later)).texts).toEqual(["once", "2"])
    expect((await read(later)).texts).toEqual(["2"])
    await expect(
      createLiveSource({ id: "s", uniqueNames: false, optional: false, gunzip: false, ...options }).assemble({
        ...NO_INPUTS,
        live: new Map([["s", [bad]]]),
      }),
    ).rejects.toThrow("ConfigMap ci/bad")
  })

  it("have one key for one content, in whatever order it comes, and another for every change", async () => {
    const entry = fc.tuple(fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/), fc.string())
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(entry, { selector: ([key]) => key, minLength: 1 }), async (entries) => {
        const there = await shown({}, [configMap("x", Object.fromEntries(entries))])
        const back = await shown({}, [configMap("x", Object.fromEntries([...entries].reverse()))])
        const changed = entries.map(([key, text], at) => [key, at === 0 ? `${text}!` : text] as const)
        const other = await shown({}, [configMap("x", Object.fromEntries(changed))])
        expect(back.key).toBe(there.key)
        expect(other.key).not.toBe(there.key)
      }),
    )
  })
})
