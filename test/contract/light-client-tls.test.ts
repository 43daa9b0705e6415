import { chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { inClusterAccess } from "@headrace/shared/kube/light/in-cluster-access"
import { type LightClient, lightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import {
  type Authority,
  createAuthority,
  opensslMissing,
  type TlsDoor,
  withTlsDoor,
} from "../harness/with-tls.ts"
import { codeOf } from "./contract-suite.ts"

const log = createLog("test", { level: "silent" })

interface Site {
  folder: string
  kube: TestKube
  authority: Authority
  door: TlsDoor
}

/** An API server behind TLS; with `mutual` it lets in only who shows a certificate of the authority. */
async function withTlsKube(test: (site: Site) => Promise<void>, { mutual = true } = {}): Promise<void> {
  await withFolder(async (folder) => {
    const authority = await createAuthority(folder)
    const certificate = await authority.certify("server", ["kube.test"])
    await withKube(async (kube) => {
      kube.store.create(CONFIG_MAPS, "ci", { metadata: { name: "x" }, data: { a: "1" } })
      const options = { port: kube.port, certificate, ...(mutual ? { clientsOf: authority } : {}) }
      await withTlsDoor(options, (door) => test({ folder, kube, authority, door }))
    })
  })
}

interface Kubeconfig {
  cluster?: object
  user?: object
}

async function writeKubeconfig({ folder, kube, door }: Site, { cluster, user }: Kubeconfig): Promise<string> {
  const file = join(folder, "kubeconfig")
  const server = `https://127.0.0.1:${door.port}`
  const config = {
    "current-context": "tls",
    clusters: [{ name: "tls", cluster: { server, "certificate-authority": "ca.crt", ...cluster } }],
    users: [{ name: "node", user: { token: kube.token, ...user } }],
    contexts: [{ name: "tls", context: { cluster: "tls", user: "node" } }],
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

async function withClient(
  site: Site,
  kubeconfig: Kubeconfig,
  use: (client: LightClient) => Promise<void>,
): Promise<void> {
  const client = await openLightClient({ kubeconfig: await writeKubeconfig(site, kubeconfig), log })
  try {
    await use(client)
  } finally {
    client.close()
  }
}

const FILES = { "client-certificate": "node.crt", "client-key": "node.key" }

const missing = opensslMissing()
if (missing) process.stdout.write(`${missing}\n`)

describe.skipIf(missing)(`the light client over TLS${whySkipped(missing)}`, () => {
  it("shows its client certificate, and after its files were rotated the new one", async () => {
    await withTlsKube(async (site) => {
      const { folder, authority, door } = site
      await authority.certify("node")
      await withClient(site, { user: FILES }, async (client) => {
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        await client.get("ci", "x")
        expect(door.clients).toEqual(["node"])
        const renewed = await authority.certify("renewed")
        await copyFile(renewed.cert, join(folder, "node.crt"))
        await copyFile(renewed.key, join(folder, "node.key"))
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        expect(door.clients).toEqual(["node", "renewed"])
      })
    })
  })

  it("goes on with the certificate that it has while the new one and its key are not both there yet", async () => {
    await withTlsKube(async (site) => {
      const { folder, authority, door } = site
      await authority.certify("node")
      const renewed = await authority.certify("renewed")
      await withClient(site, { user: FILES }, async (client) => {
        await client.get("ci", "x")
        await copyFile(renewed.cert, join(folder, "node.crt"))
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        await copyFile(renewed.key, join(folder, "node.key"))
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        await writeFile(join(folder, "node.crt"), "")
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        await rm(join(folder, "node.key"))
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        expect(door.clients).toEqual(["node", "renewed"])
      })
      const opened = withClient(site, { user: FILES }, async () => undefined)
      expect(await codeOf(opened)).toBe("kube/kubeconfig")
    })
  })

  it("takes certificate and key from the kubeconfig itself, and from an exec plugin", async () => {
    await withTlsKube(async (site) => {
      const { folder, authority, door } = site
      const { cert, key } = await authority.certify("inline")
      const data = {
        "client-certificate-data": (await readFile(cert)).toString("base64"),
        "client-key-data": (await readFile(key)).toString("base64"),
      }
      await withClient(site, { user: data }, async (client) => {
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
      })
      const made = await authority.certify("made")
      const status = {
        token: site.kube.token,
        clientCertificateData: await readFile(made.cert, "utf8"),
        clientKeyData: await readFile(made.key, "utf8"),
      }
      await writeFile(join(folder, "answer"), JSON.stringify({ kind: "ExecCredential", status }))
      await writeFile(join(folder, "plugin"), `#!/bin/sh\nexec cat "${folder}/answer"\n`)
      await chmod(join(folder, "plugin"), 0o755)
      const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin" }
      await withClient(site, { user: { exec } }, async (client) => {
        expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
      })
      expect(door.clients).toEqual(["inline", "made"])
    })
  })

  it("takes a refused or missing certificate for an outage, and never for an absence", async () => {
    await withTlsKube(async (site) => {
      const other = join(site.folder, "other")
      await mkdir(other)
      await (await createAuthority(other)).certify("stranger")
      const strange = { "client-certificate": "other/stranger.crt", "client-key": "other/stranger.key" }
      for (const user of [{}, strange]) {
        await withClient(site, { user }, async (client) => {
          expect(await codeOf(client.get("ci", "x"))).toBe("kube/unavailable")
          expect(await codeOf(client.list("ci", {}))).toBe("kube/unavailable")
        })
      }
      expect(site.kube.requests.connections).toBe(0)
    })
  })

  it("sends no secret to a server that the authority does not vouch for, by name too", async () => {
    await withTlsKube(
      async (site) => {
        const other = join(site.folder, "other")
        await mkdir(other)
        await createAuthority(other)
        for (const cluster of [
          { "certificate-authority": "other/ca.crt" },
          { "tls-server-name": "elsewhere.test" },
        ]) {
          await withClient(site, { cluster }, async (client) => {
            expect(await codeOf(client.get("ci", "x"))).toBe("kube/unavailable")
          })
        }
        expect(Object.values(site.kube.requests.all())).toEqual([])
        await withClient(site, { cluster: { "tls-server-name": "kube.test" } }, async (client) => {
          expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        })
      },
      { mutual: false },
    )
  })

  it("reads as a pod by its mounted account, over the kubelet's rotation of the token", async () => {
    await withTlsKube(
      async ({ folder, kube, door }) => {
        // What a kubelet mounts: the token and the authority's certificate, replaced by one flip of ..data.
        await writeFile(join(folder, "token"), kube.token)
        const environment = {
          KUBERNETES_SERVICE_HOST: "127.0.0.1",
          KUBERNETES_SERVICE_PORT: String(door.port),
        }
        const client = lightClient(await inClusterAccess(environment, folder), { log })
        try {
          expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
          kube.setTokens(["rotated"])
          expect(await codeOf(client.get("ci", "x"))).toBe("kube/unauthorized")
          await writeFile(join(folder, "token"), "rotated\n")
          expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
        } finally {
          client.close()
        }
      },
      { mutual: false },
    )
  })
})
