import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { systemClock } from "@headrace/shared/foundation/clock"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { loadKubeconfigFolder } from "@headrace/shared/settings/kubeconfig-folder"
import { describe, expect, it } from "vitest"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { codeOf, configMap } from "./contract-suite.ts"

const log = createLog("test", { level: "silent" })

/** `timeLimit`: milliseconds for each request; a busy machine must not meet it where no server hangs. */
async function withAdapter(
  test: (client: ConfigMapWriter, kube: TestKube, waits: number[]) => Promise<void>,
  timeLimit = 30_000,
): Promise<void> {
  await withKube(async (kube) => {
    const waits: number[] = []
    const clock = {
      now: systemClock.now,
      async sleep(milliseconds: number) {
        waits.push(milliseconds)
      },
    }
    const retry = { attempts: 3, backoff: { first: 100, limit: 1000 }, clock }
    const settings = { kubeconfig: kube.kubeconfigFile }
    const client = await connectCluster("test", settings, log, { timeLimit, retry })
    try {
      await test(client, kube, waits)
    } finally {
      client.close()
    }
  })
}

describe("the client-node adapter under faults", () => {
  it("asks a hundred times, many at once, over at most two connections", async () => {
    await withAdapter(async (client, kube) => {
      for (let i = 0; i < 50; i += 1) await client.get("ci", "x")
      await Promise.all(Array.from({ length: 50 }, () => client.get("ci", "x")))
      expect(kube.requests.get("get", "configmaps")).toBe(100)
      expect(kube.requests.connections).toBeLessThanOrEqual(2)
    })
  })

  it.each([
    { kind: "hang" } as const,
    { kind: "close" } as const,
    { kind: "truncate" } as const,
    { kind: "status", status: 500 } as const,
    { kind: "status", status: 503 } as const,
  ])("reads again after the fault %j", async (answer) => {
    await withAdapter(async (client, kube, waits) => {
      await client.create(configMap("ci", "x", { a: "1" }))
      kube.faults.plan({ answer, times: 2 })
      expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
      expect(waits).toHaveLength(2)
    }, 1_500)
  })

  it("gives up after its attempts, with the last error", async () => {
    await withAdapter(async (client, kube) => {
      kube.faults.plan({ answer: { kind: "status", status: 500 }, times: 3 })
      expect(await codeOf(client.get("ci", "x"))).toBe("kube/unavailable")
      expect(kube.requests.get("get", "configmaps")).toBe(3)
    })
  })

  it("waits as long as the server asks, before a write too", async () => {
    await withAdapter(async (client, kube, waits) => {
      kube.faults.plan({ answer: { kind: "status", status: 429, retryAfterSeconds: 3 }, times: 1 })
      await client.create(configMap("ci", "x"))
      expect(waits).toEqual([3000])
    })
  })

  it("does not repeat a create whose answer was lost: it may have had its effect", async () => {
    await withAdapter(async (client, kube) => {
      kube.faults.plan({ answer: { kind: "close", effect: true }, times: 1, verb: "create" })
      expect(await codeOf(client.create(configMap("ci", "x")))).toBe("kube/unavailable")
      expect(kube.requests.get("create", "configmaps")).toBe(1)
      expect(await codeOf(client.create(configMap("ci", "x")))).toBe("kube/already-exists")
    })
  })

  it("repeats a replace whose answer was lost, and receives the conflict with itself", async () => {
    await withAdapter(async (client, kube) => {
      const first = await client.create(configMap("ci", "x", { a: "1" }))
      kube.faults.plan({ answer: { kind: "hang", effect: true }, times: 1, verb: "update" })
      expect(await codeOf(client.replace({ ...first, data: { a: "2" } }))).toBe("kube/conflict")
      expect((await client.get("ci", "x"))?.data).toEqual({ a: "2" })
    }, 1_500)
  })

  it("repeats a remove whose answer was lost, and finds it gone", async () => {
    await withAdapter(async (client, kube) => {
      const first = await client.create(configMap("ci", "x"))
      kube.faults.plan({ answer: { kind: "close", effect: true }, times: 1, verb: "delete" })
      await client.remove(first)
      expect(await client.get("ci", "x")).toBeUndefined()
    })
  })

  it("reads the kubeconfig again when its token is refused", async () => {
    await withAdapter(async (client, kube) => {
      await client.get("ci", "x")
      kube.setTokens(["second"])
      await writeFile(kube.kubeconfigFile, embeddedKubeconfig(kube.url, "second"))
      expect(await client.get("ci", "x")).toBeUndefined()
      kube.setTokens(["third"])
      expect(await codeOf(client.get("ci", "x"))).toBe("kube/unauthorized")
    })
  })

  it("ends at once when the caller aborts, with the caller's reason", async () => {
    await withAdapter(async (client, kube) => {
      kube.faults.plan({ answer: { kind: "hang" }, times: 1 })
      const stop = new AbortController()
      const reason = new Error("enough")
      setTimeout(() => stop.abort(reason), 20)
      await expect(client.get("ci", "x", stop.signal)).rejects.toBe(reason)
    })
  })

  it("names what is wrong with a kubeconfig, and shows none of its secrets", async () => {
    await withAdapter(async (_client, kube) => {
      const settings = { kubeconfig: kube.kubeconfigFile }
      const other = connectCluster("test", { ...settings, context: "none" }, log)
      await expect(other).rejects.toMatchObject({ code: "kube/kubeconfig" })
      await writeFile(kube.kubeconfigFile, "users: [{name: a, user: {token: s3cret}}]\nclusters: {")
      const broken = connectCluster("test", settings, log)
      await expect(broken).rejects.toMatchObject({ code: "kube/kubeconfig" })
      await expect(broken).rejects.not.toThrow("s3cret")
    })
  })
})

describe("a folder of kubeconfigs", () => {
  it("makes every context of every file a cluster, and refuses a name given twice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "headrace-kubeconfigs-"))
    try {
      const one = embeddedKubeconfig("http://127.0.0.1:1", "a").replaceAll("embedded", "one")
      await writeFile(join(folder, "one.kubeconfig"), one)
      await writeFile(join(folder, "two.kubeconfig"), one.replaceAll("one", "two"))
      await writeFile(join(folder, "README"), "no kubeconfig")
      await writeFile(join(folder, "..data"), "no kubeconfig")
      await mkdir(join(folder, "folder.kubeconfig"))
      const clusters = {
        one: { kubeconfig: join(folder, "one.kubeconfig"), context: "one" },
        two: { kubeconfig: join(folder, "two.kubeconfig"), context: "two" },
      }
      expect(await loadKubeconfigFolder(folder, ".kubeconfig")).toEqual({ clusters, current: clusters.two })
      await writeFile(join(folder, "three.kubeconfig"), one)
      expect(await codeOf(loadKubeconfigFolder(folder, ".kubeconfig"))).toBe("kube/kubeconfig")
      expect(await codeOf(loadKubeconfigFolder(join(folder, "absent")))).toBe("kube/kubeconfig-folder")
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
