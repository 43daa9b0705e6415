import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { systemClock } from "@headrace/shared/foundation/clock"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { afterEach, describe, expect, it, vi } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { type ConnectProxy, withConnectProxy } from "../harness/with-connect-proxy.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { createAuthority, opensslMissing, withTlsDoor } from "../harness/with-tls.ts"

const log = createLog("test", { level: "silent" })

interface Site {
  proxy: ConnectProxy
  /** Writes a kubeconfig for the server, which has a name that no DNS knows, with these members of its cluster. */
  kubeconfig(cluster?: object): Promise<string>
}

function withSite(test: (site: Site) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const authority = await createAuthority(folder)
    const certificate = await authority.certify("server", ["kube.invalid"])
    await withKube(async (kube) => {
      kube.store.create(CONFIG_MAPS, "ci", { metadata: { name: "x" }, data: { a: "1" } })
      await withTlsDoor({ port: kube.port, certificate }, (door) =>
        withConnectProxy((proxy) =>
          test({
            proxy,
            async kubeconfig(cluster = {}) {
              const file = join(folder, "kubeconfig")
              const server = `https://kube.invalid:${door.port}`
              const config = {
                "current-context": "c",
                clusters: [{ name: "c", cluster: { server, "certificate-authority": "ca.crt", ...cluster } }],
                users: [{ name: "u", user: { token: kube.token } }],
                contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
              }
              await writeFile(file, JSON.stringify(config))
              return file
            },
          }),
        ),
      )
    })
  })
}

const CLIENTS: Record<string, (kubeconfig: string) => Promise<ConfigMapReader & { close(): void }>> = {
  "the light client": (kubeconfig) => openLightClient({ kubeconfig, log }),
  "client-node": (kubeconfig) =>
    connectCluster("c", { kubeconfig }, log, {
      retry: { attempts: 1, backoff: { first: 1, limit: 1 }, clock: systemClock },
    }),
}

afterEach(() => vi.unstubAllEnvs())

const missing = opensslMissing()

describe.skipIf(missing).each(Object.entries(CLIENTS))(`%s${whySkipped(missing)}`, (_, open) => {
  async function read(kubeconfig: string): Promise<Record<string, string> | undefined> {
    const client = await open(kubeconfig)
    try {
      return (await client.get("ci", "x"))?.data
    } finally {
      client.close()
    }
  }

  it("goes by HTTPS_PROXY", () =>
    withSite(async ({ proxy, kubeconfig }) => {
      vi.stubEnv("HTTPS_PROXY", proxy.url)
      vi.stubEnv("NO_PROXY", "10.0.0.0/8,other.invalid")
      expect(await read(await kubeconfig())).toEqual({ a: "1" })
      expect(proxy.tunnels).toEqual([expect.stringMatching(/^kube\.invalid:\d+$/)])
    }))

  it("goes by the kubeconfig's proxy-url, whatever the environment says", () =>
    withSite(async ({ proxy, kubeconfig }) => {
      vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:1")
      vi.stubEnv("NO_PROXY", "*")
      expect(await read(await kubeconfig({ "proxy-url": proxy.url }))).toEqual({ a: "1" })
      expect(proxy.tunnels).toHaveLength(1)
    }))

  it("does not go by it to what NO_PROXY names", () =>
    withSite(async ({ proxy, kubeconfig }) => {
      vi.stubEnv("HTTPS_PROXY", proxy.url)
      vi.stubEnv("NO_PROXY", "invalid")
      await expect(read(await kubeconfig())).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(proxy.tunnels).toEqual([])
    }))
})
