import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import type { Clock } from "@headrace/shared/foundation/clock"
import { expect, it } from "vitest"
import { withKube } from "../harness/with-kube.ts"
import { type Following, put, whileFollowing, withKubeconfig } from "./while-following.ts"

it("keeps what it knows when a replica that lags behind answers in a server's place", async () => {
  const fresh = await startEmbeddedKube({ createNamespaces: true, firstResourceVersion: 1000 })
  await withKubeconfig(fresh, async (kube) => {
    // Slow enough that the laggard is gone before it has said the same so often that it is believed.
    const options = { backoff: { first: 400, limit: 2000 } }
    async function overLag({ until, troubles }: Following): Promise<void> {
      put(kube, "x")
      put(kube, "y")
      await until(["x", "y"])
      await fresh.close()
      const { port, token, store } = fresh
      const lagging = await startEmbeddedKube({
        port,
        token,
        createNamespaces: true,
        firstResourceVersion: 10,
      })
      lagging.store.create(CONFIG_MAPS, "ci", { metadata: { name: "x" }, data: { a: "0" } })
      // It has not come as far as the watch wants to begin, so the client lists again.
      lagging.faults.plan({ answer: { kind: "status", status: 410 }, times: 100, verb: "watch" })
      await expect.poll(() => lagging.requests.get("list", "configmaps")).toBeGreaterThan(0)
      await lagging.close()
      const again = await startEmbeddedKube({ port, token, store })
      put(kube, "z")
      // What the laggard said of x, and did not say of y, was never taken over.
      const { objects, changed } = await until(["x", "y", "z"])
      expect([objects.get("ci/x")?.data, [...changed]]).toEqual([{ a: "1" }, ["ci/z"]])
      expect(troubles).toContain("kube/unavailable")
      await again.close()
    }
    await whileFollowing(kube, overLag, options)
  })
})

it("spreads its tries: the wait after a failure is random below a bound that grows", async () => {
  await withKube(async (kube) => {
    const waits: number[] = []
    const clock: Clock = {
      now: () => 0,
      async sleep(milliseconds) {
        waits.push(milliseconds)
      },
    }
    const shares = [0, 0.5, 0.9, 0.25, 0.75]
    kube.faults.plan({ answer: { kind: "status", status: 500 }, times: shares.length, verb: "list" })
    const options = { clock, backoff: { first: 100, limit: 400 }, random: () => shares.shift() ?? 0 }
    await whileFollowing(kube, async ({ until }) => void (await until([])), options)
    expect(waits.slice(0, 5)).toEqual([50, 150, 380, 250, 350])
  })
})
