import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { sha256 } from "../foundation/digest.ts"
import { openStoreConfigMap, storeConfigMap } from "./store-config-map.ts"

const payload = Buffer.from("payload")
const object = { kind: "index", digest: sha256(payload), payload } as const

describe("storeConfigMap and openStoreConfigMap", () => {
  it("name an immutable object by its content, and bring it back", () => {
    const configMap = storeConfigMap("headrace", object)

    expect(configMap).toMatchObject({
      immutable: true,
      metadata: {
        name: `index-${object.digest.slice(0, 40)}`,
        namespace: "headrace",
        labels: { "app.kubernetes.io/component": "index" },
      },
    })
    expect(openStoreConfigMap(configMap, object.digest)).toEqual(payload)
  })

  it.each([
    ["nothing", undefined, "bundle/missing-content"],
    ["no gzip", Buffer.from("plain"), "bundle/bad-gzip"],
    ["a cut gzip", gzipSync(payload).subarray(0, -9), "bundle/bad-gzip"],
    ["other content", gzipSync("other"), "bundle/wrong-digest"],
    ["a gzip bomb", gzipSync(Buffer.alloc(100_000_000)), "bundle/too-large"],
  ])("refuse %s", (_, content, code) => {
    const configMap = storeConfigMap("headrace", object)
    const binaryData = content ? { "content.gz": content.toString("base64") } : {}
    expect(() => openStoreConfigMap({ ...configMap, binaryData }, object.digest)).toThrow(
      expect.objectContaining({ code }),
    )
  })

  it("refuse what cannot fit a ConfigMap", () => {
    const large = Buffer.alloc(9 * 1024 * 1024)
    expect(() =>
      storeConfigMap("headrace", { kind: "shard", digest: sha256(large), payload: large }),
    ).toThrow(expect.objectContaining({ code: "bundle/too-large" }))
  })
})
