import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { freePort } from "@headrace/config/local/free-port"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { FakeBranch } from "../harness/fake-reconciler.ts"
import { withRedisCluster, withSentinel } from "../harness/redis-topology.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { pushEvent, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"

const run = promisify(execFile)
const log = createLog("test", { level: "silent" })

async function convergesOn(redis: string, meanwhile: () => void = () => undefined): Promise<FakeBranch> {
  const branch = new FakeBranch(2)
  await withPlugin({ redis, reconciler: branch }, async (plugin) => {
    await until(async () => (await fetch(`${plugin.url}/readyz`)).status === 200)
    let accepted = 0
    for (let merge = 0; merge < 40; merge++) {
      if (merge === 20) meanwhile()
      if ((await plugin.deliver("push", pushEvent(branch.merge()))).status === 202) accepted++
    }
    expect(accepted).toBeGreaterThanOrEqual(20)
    await until(() => branch.shown.get("build01/release") === branch.tipNumber)
    expect((await plugin.deliver("push", pushEvent(branch.merge()))).status).toBe(202)
    await until(() => branch.shown.get("build01/release") === branch.tipNumber)
  })
  return branch
}

describe("lanes work on", () => {
  it("a master that its sentinels replace in mid-burst", () =>
    withSentinel(async ({ url, master }) => {
      await convergesOn(url, () => process.kill(master.pid, "SIGKILL"))
    }))

  it("a replica that takes over without what the master took last", () =>
    withSentinel(async ({ url, master, stopReplication }) => {
      const branch = new FakeBranch(2)
      await withPlugin({ redis: url, reconciler: branch }, async (plugin) => {
        await until(() => branch.shown.get("build01/release") === branch.tipNumber)
        branch.down.add("build01")
        await stopReplication()
        for (let merge = 0; merge < 5; merge++) {
          const answer = await plugin.deliver("push", pushEvent(branch.merge()), { guid: `lost-${merge}` })
          expect(answer.status).toBe(202)
        }
        process.kill(master.pid, "SIGKILL")
        await until(() => plugin.lanes.trouble() !== undefined)
        await until(() => plugin.lanes.trouble() === undefined)
        expect(await plugin.lanes.redis.exists(plugin.lanes.key("delivery", "lost-0"))).toBe(0)

        branch.down.clear()
        await until(() => branch.shown.get("build01/release") === branch.tipNumber)
        expect(await plugin.lanes.queue("build01").getGlobalConcurrency()).toBe(1)
        expect(branch.most).toBe(1)
      })
    }))

  it("a Redis Cluster, all keys of an installation in one slot", () =>
    withRedisCluster(async ({ url }) => {
      const branch = await convergesOn(url)
      expect(branch.most).toBe(1)
    }))

  it("TLS with a private authority, and refuse a server that it did not sign", () =>
    withFolder(async (folder) => {
      await makeCertificate(folder)
      const tlsPort = await freePort()
      const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }
      const args = ["--tls-port", `${tlsPort}`, "--tls-auth-clients", "no", "--tls-ca-cert-file", files.cert]
      await withRedis(
        async () => {
          await convergesOn(`rediss://localhost:${tlsPort}/0?ca=${files.cert}`)
          const unsigned = await openLanes({ redis: `rediss://localhost:${tlsPort}`, log })
          expect(String(unsigned.trouble()?.cause)).toMatch(/self-signed certificate/)
          await unsigned.close()
        },
        { args: [...args, "--tls-cert-file", files.cert, "--tls-key-file", files.key] },
      )
    }))
})

async function makeCertificate(folder: string): Promise<void> {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")]
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files])
}
