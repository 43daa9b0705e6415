import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { type FollowOptions, followConfigMaps } from "@headrace/shared/kube/light/follow"
import { describe, expect, it } from "vitest"
import { withKube } from "../harness/with-kube.ts"
import { put, whileFollowing, withKubeconfig } from "./while-following.ts"

describe("followConfigMaps", () => {
  it("gives the first state even when nothing is there, then each change", async () => {
    await withKube(async (kube) => {
      await whileFollowing(kube, async ({ until }) => {
        await until([])
        put(kube, "x")
        expect((await until(["x"])).changed).toEqual(new Set(["ci/x"]))
        kube.store.remove(CONFIG_MAPS, "ci", "x")
        expect((await until([])).changed).toEqual(new Set(["ci/x"]))
      })
    })
  })

  it("gives what changed while the caller was busy as one state", async () => {
    await withKube(async (kube) => {
      await whileFollowing(kube, async ({ until }) => {
        await until([])
        const names = Array.from({ length: 50 }, (_, i) => `x${i}`)
        for (const name of names) put(kube, name)
        await new Promise((resolve) => setTimeout(resolve, 200))
        expect((await until(names)).changed.size).toBe(50)
      })
    })
  })

  it("keeps what it knows while the API cannot be read, and catches up", async () => {
    await withKube(async (kube) => {
      await whileFollowing(kube, async ({ until, troubles }) => {
        put(kube, "x")
        await until(["x"])
        kube.faults.plan({ answer: { kind: "status", status: 500 }, times: 3 })
        kube.faults.plan({ answer: { kind: "close" }, times: 2 })
        kube.faults.plan({ answer: { kind: "hang" }, times: 1 })
        kube.dropConnections()
        put(kube, "y")
        await until(["x", "y"])
        expect(troubles).toContain("kube/unavailable")
      })
    })
  })

  it("lists again when its version has become too old, and then sees deletions it missed", async () => {
    await withKube(async (kube) => {
      await whileFollowing(kube, async ({ until, troubles }) => {
        put(kube, "x")
        put(kube, "y")
        await until(["x", "y"])
        kube.faults.plan({ answer: { kind: "status", status: 503 }, times: 2, verb: "watch" })
        kube.dropConnections()
        kube.store.remove(CONFIG_MAPS, "ci", "x")
        kube.store.forgetHistory()
        await until(["y"])
        expect(troubles).toContain("kube/gone")
      })
    })
  })

  it("opens the watch again after silence, without listing", async () => {
    await withKube(async (kube) => {
      await whileFollowing(kube, async ({ until, troubles }) => {
        await until([])
        kube.requests.reset()
        await expect.poll(() => kube.requests.get("watch", "configmaps")).toBeGreaterThan(1)
        put(kube, "x")
        await until(["x"])
        expect(troubles).toContain("kube/timeout")
        expect(kube.requests.get("list", "configmaps")).toBe(0)
      })
    })
  })

  it("goes on over a restart of the API server that keeps its state, and one that loses it", async () => {
    const first = await startEmbeddedKube({ createNamespaces: true })
    await withKubeconfig(first, async (kube) => {
      await whileFollowing(kube, async ({ until }) => {
        put(kube, "x")
        await until(["x"])
        await first.close()
        put(kube, "y")
        const { port, token, store } = first
        const second = await startEmbeddedKube({ port, token, store })
        await until(["x", "y"])
        await second.close()
        const third = await startEmbeddedKube({
          port,
          token,
          createNamespaces: true,
          firstResourceVersion: 2 ** 40,
        })
        await until([])
        third.store.create(CONFIG_MAPS, "ci", { metadata: { name: "z" } })
        await until(["z"])
        await third.close()
      })
    })
  })

  it("does not believe a replica that lags behind what was seen, until it says so again and again", async () => {
    const fresh = { items: [object("a", "100"), object("b", "90")], resourceVersion: "100" }
    const stale = { items: [object("a", "50")], resourceVersion: "50" }
    const lists = [fresh, stale, stale, fresh]
    const seen: string[][] = []
    const stop = new AbortController()
    const troubles: string[] = []
    const reader = scripted(lists, stop)
    for await (const { objects } of followConfigMaps(
      reader,
      { ...quick, onTrouble: (error) => troubles.push(String(error)) },
      stop.signal,
    )) {
      seen.push([...objects.keys()])
    }
    expect(seen).toEqual([["ci/a", "ci/b"]])
    expect(troubles.filter((text) => text.includes("older than 100"))).toHaveLength(2)

    // Restored from a backup, every replica says the same for good: then it is the truth.
    const restored = Array.from({ length: 6 }, () => stale)
    const again = new AbortController()
    const states: string[][] = []
    for await (const { objects } of followConfigMaps(
      scripted([fresh, ...restored], again),
      quick,
      again.signal,
    )) {
      states.push([...objects.keys()])
    }
    expect(states).toEqual([["ci/a", "ci/b"], ["ci/a"]])
  })

  it.each([
    ["as long as the server asks", 9, 9000],
    ["a minute at most, whatever the server asks,", 9_000_000, 60_000],
  ])("waits %s before it comes back", async (_how, retryAfterSeconds, waited) => {
    await withKube(async (kube) => {
      const waits: number[] = []
      const clock: Clock = {
        now: () => Date.now(),
        async sleep(milliseconds) {
          waits.push(milliseconds)
        },
      }
      kube.faults.plan({
        answer: { kind: "status", status: 429, retryAfterSeconds },
        times: 1,
        verb: "list",
      })
      await whileFollowing(kube, async ({ until }) => void (await until([])), { clock })
      expect(waits[0]).toBe(waited)
    })
  })

  it("is not moved by a clock that jumps, either way", async () => {
    await withKube(async (kube) => {
      let offset = 0
      const clock: Clock = { now: () => Date.now() + offset, sleep: systemClock.sleep }
      await whileFollowing(
        kube,
        async ({ until }) => {
          put(kube, "a")
          await until(["a"])
          offset = 10 * 365 * 86_400_000
          put(kube, "b")
          await until(["a", "b"])
          kube.dropConnections()
          offset = -offset
          put(kube, "c")
          await until(["a", "b", "c"])
          kube.dropConnections()
          put(kube, "d")
          await until(["a", "b", "c", "d"])
        },
        { clock },
      )
    })
  })
})

const quick: FollowOptions = { namespace: "ci", selection: {}, backoff: { first: 1, limit: 2 } }

function object(name: string, resourceVersion: string): ConfigMap {
  return { metadata: { namespace: "ci", name, resourceVersion } }
}

/** Lists what the script says, each watch finds its version gone; ends the following with the script. */
function scripted(
  lists: { items: ConfigMap[]; resourceVersion: string }[],
  stop: AbortController,
): ConfigMapReader {
  const left = [...lists]
  return {
    get: async () => undefined,
    async list() {
      const list = left.shift()
      if (list) return list
      stop.abort()
      throw new Error("the script has ended")
    },
    // biome-ignore lint/correctness/useYield: a watch that fails at once.
    async *watch() {
      throw new KubeError("kube/gone", "too old")
    },
  }
}
