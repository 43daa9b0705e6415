import { CONFIG_MAPS } from "@headrace/shared/kube/embedded/resource-kind"
import { type Followed, type FollowOptions, followConfigMaps } from "@headrace/shared/kube/light/follow"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { type TestKube, withKube } from "../harness/with-kube.ts"

const log = createLog("test", { level: "silent" })

interface Following {
  /** The next state in which the names are exactly these, skipping states on the way there. */
  until(names: string[]): Promise<Followed>
  troubles: string[]
}

/** Follows namespace `ci` of a server with the light client while the test runs. */
async function whileFollowing(
  kube: TestKube,
  test: (following: Following) => Promise<void>,
  options: Partial<FollowOptions> = {},
): Promise<void> {
  const watch = { duration: 20_000, silence: 400 }
  const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log, watch, timeLimit: 500 })
  const stop = new AbortController()
  const troubles: string[] = []
  const states = followConfigMaps(
    client,
    {
      namespace: "ci",
      selection: {},
      backoff: { first: 10, limit: 50 },
      onTrouble: (error) =>
        void troubles.push(error instanceof Error && "code" in error ? String(error.code) : "?"),
      ...options,
    },
    stop.signal,
  )
  async function until(names: string[]): Promise<Followed> {
    const wanted = names.map((name) => `ci/${name}`).sort()
    for (;;) {
      const { value, done } = await states.next()
      if (done || !value) throw new Error("following ended")
      if ([...value.objects.keys()].sort().join() === wanted.join()) return value
    }
  }
  try {
    await test({ until, troubles })
  } finally {
    stop.abort()
    await states.return(undefined)
    client.close()
  }
}

function put(kube: TestKube, name: string): void {
  kube.store.create(CONFIG_MAPS, "ci", { metadata: { name }, data: { a: "1" } })
}

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
        await new Promise((resolve) => setTimeout(resolve, 1000))
        put(kube, "x")
        await until(["x"])
        expect(troubles).toContain("kube/timeout")
        expect(kube.requests.get("watch", "configmaps")).toBeGreaterThan(1)
        expect(kube.requests.get("list", "configmaps")).toBe(0)
      })
    })
  })
})
