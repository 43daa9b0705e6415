import { expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ConfigMapReader } from "../config-map-api.ts"
import { followConfigMaps } from "./follow.ts"

function configMap(resourceVersion: string, value: string): ConfigMap {
  return { metadata: { namespace: "n", name: "x", resourceVersion }, data: { value } }
}

it("notices a restore of etcd, after which a watch from the version before is silent", async () => {
  let state = { items: [configMap("90", "new")], resourceVersion: "90" }
  const watched: string[] = []
  const reader: ConfigMapReader = {
    get: async () => undefined,
    list: async () => state,
    async *watch(_namespace, { resourceVersion }, signal) {
      watched.push(resourceVersion)
      // The first watch ends as the server stops for its restore; those from the future hear nothing.
      if (watched.length === 1) {
        state = { items: [configMap("40", "restored")], resourceVersion: "41" }
        return
      }
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
      yield* []
    },
  }
  const stop = new AbortController()
  const options = { namespace: "n", selection: {}, verify: 30, backoff: { first: 1, limit: 5 } }
  const values: (string | undefined)[] = []
  for await (const { objects } of followConfigMaps(reader, options, stop.signal)) {
    values.push(objects.get("n/x")?.data?.value)
    if (values.at(-1) === "restored") stop.abort()
  }
  expect(values).toEqual(["new", "restored"])
  expect(watched.slice(0, 2)).toEqual(["90", "90"])
})
