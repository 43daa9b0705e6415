import { setTimeout as delay } from "node:timers/promises"
import { expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ConfigMapReader } from "../config-map-api.ts"
import { KubeError } from "../kube-error.ts"
import { followConfigMaps } from "./follow.ts"

function configMap(resourceVersion: string, value: string): ConfigMap {
  return { metadata: { namespace: "n", name: "x", resourceVersion }, data: { value } }
}

/** How a server answers a watch from a version of its future. */
const FUTURE: { [how: string]: (signal: AbortSignal) => Promise<unknown> } = {
  "is silent": (signal) => new Promise((resolve) => signal.addEventListener("abort", resolve)),
  "is ended by a proxy that heard nothing": () => delay(5),
  "is refused": async () => {
    throw new KubeError("kube/unavailable", "Too large resource version", { status: 504 })
  },
}

it.each(Object.entries(FUTURE))(
  "notices a restore of etcd, after which a watch from the version before %s",
  async (_, answer) => {
    let state = { items: [configMap("90", "new")], resourceVersion: "90" }
    const watched: string[] = []
    const reader: ConfigMapReader = {
      get: async () => undefined,
      list: async () => state,
      async *watch(_namespace, { resourceVersion }, signal) {
        watched.push(resourceVersion)
        // The first watch ends as the server stops for its restore.
        if (watched.length === 1) {
          state = { items: [configMap("40", "restored")], resourceVersion: "41" }
          return
        }
        await answer(signal)
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
  },
)
