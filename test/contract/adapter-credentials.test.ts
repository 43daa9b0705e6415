import { copyFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type ConnectedCluster, connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ClusterAddress } from "@headrace/shared/kube/client-node/load-kube-config"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { makeExecPlugin, tokenAnswer } from "../harness/exec-plugin.ts"
import { kubeconfigFor } from "../harness/kubeconfig-for.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { type Authority, createAuthority, type TlsDoor, withTlsDoor } from "../harness/with-tls.ts"
import { codeOf } from "./contract-suite.ts"

const log = createLog("test", { level: "silent" })

interface Secured {
  kube: TestKube
  folder: string
  authority: Authority
  door: TlsDoor
  url: string
  /** Writes a kubeconfig for the server over TLS; gives its path. */
  kubeconfigOf(user: object): Promise<string>
}

/** A server over HTTPS whose certificate nobody but its kubeconfig trusts; `mutual`: it wants one of clients too. */
async function withSecured(test: (secured: Secured) => Promise<void>, mutual = false): Promise<void> {
  await withFolder((folder) =>
    withKube(async (kube) => {
      const authority = await createAuthority(folder)
      const certificate = await authority.certify("server")
      await withTlsDoor(
        { port: kube.port, certificate, ...(mutual ? { clientsOf: authority } : {}) },
        (door) => {
          const url = `https://127.0.0.1:${door.port}`
          const cluster = { server: url, "certificate-authority": "ca.crt" }
          const kubeconfigOf = (user: object) => kubeconfigFor(kube, folder, user, cluster)
          return test({ kube, folder, authority, door, url, kubeconfigOf })
        },
      )
    }),
  )
}

async function withClient(
  address: ClusterAddress,
  test: (client: ConnectedCluster) => Promise<void>,
): Promise<void> {
  const client = await connectCluster("test", address, log, { timeLimit: 2000 })
  await test(client).finally(() => client.close())
}

describe("the client-node adapter over HTTPS", () => {
  it("asks fifty times, many at once, over at most two connections, and closes them", () =>
    withSecured(async ({ kube, door, kubeconfigOf }) => {
      await withClient({ kubeconfig: await kubeconfigOf({ token: kube.token }) }, async (client) => {
        for (let round = 0; round < 5; round += 1)
          await Promise.all(Array.from({ length: 10 }, (_, index) => client.get("ci", `x${index}`)))
      })
      expect(kube.requests.get("get", "configmaps")).toBe(50)
      expect(door.clients.length).toBeLessThanOrEqual(2)
    }))

  it("refuses a server that the kubeconfig's authority did not sign", () =>
    withSecured(async ({ kube, folder, url }) => {
      const kubeconfig = await kubeconfigFor(kube, folder, { token: kube.token }, { server: url })
      const client = await connectCluster("test", { kubeconfig }, log, {
        retry: {
          attempts: 1,
          backoff: { first: 1, limit: 1 },
          clock: { now: Date.now, sleep: async () => {} },
        },
      })
      await expect(client.get("ci", "x")).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(kube.requests.get("get", "configmaps")).toBe(0)
      client.close()
    }))

  it.each([
    ["the kubeconfig's tokenFile", { tokenFile: "token" }, false],
    ["a tokenFile of the settings, which goes before", { token: "of nobody" }, true],
  ])("reads a rotated token from %s at once", (_, user, isOfSettings) =>
    withSecured(async ({ kube, folder, kubeconfigOf }) => {
      const tokenFile = join(folder, "token")
      await writeFile(tokenFile, `${kube.token}\n`)
      const kubeconfig = await kubeconfigOf(user)
      await withClient({ kubeconfig, ...(isOfSettings ? { tokenFile } : {}) }, async (client) => {
        expect(await client.get("ci", "x")).toBeUndefined()
        await writeFile(tokenFile, "second\n")
        kube.setTokens(["second"])
        expect(await client.get("ci", "x")).toBeUndefined()
        expect(kube.requests.get("get", "configmaps")).toBe(2)
        kube.setTokens(["third"])
        expect(await codeOf(client.get("ci", "x"))).toBe("kube/unauthorized")
      })
    }),
  )

  it("presents a client certificate that was replaced on disk, over a new connection", () =>
    withSecured(async ({ kube, authority, door, kubeconfigOf }) => {
      const first = await authority.certify("first")
      const second = await authority.certify("second")
      const user = { token: kube.token, "client-certificate": "first.crt", "client-key": "first.key" }
      await withClient({ kubeconfig: await kubeconfigOf(user) }, async (client) => {
        await client.get("ci", "x")
        await client.get("ci", "x")
        await copyFile(second.cert, first.cert)
        await copyFile(second.key, first.key)
        await client.get("ci", "x")
        expect(door.clients).toEqual(["first", "second"])
      })
    }, true))

  it("runs an exec plugin once for many calls, again when its credential is refused, and names its failure", () =>
    withSecured(async ({ kube, folder, kubeconfigOf }) => {
      const plugin = await makeExecPlugin(folder)
      await plugin.answer(tokenAnswer(kube.token))
      await withClient({ kubeconfig: await kubeconfigOf(plugin.user) }, async (client) => {
        await Promise.all([client.get("ci", "x"), client.get("ci", "y")])
        await client.get("ci", "x")
        expect(await plugin.runs()).toBe(1)
        kube.setTokens(["second"])
        await plugin.answer(tokenAnswer("second"))
        await Promise.all([client.get("ci", "x"), client.get("ci", "y")])
        expect(await plugin.runs()).toBe(2)
        kube.setTokens(["third"])
        await plugin.answer("no json")
        await expect(client.get("ci", "x")).rejects.toMatchObject({
          code: "kube/unauthorized",
          message: expect.stringContaining("plugin"),
        })
      })
    }))

  it("ends a call whose credential never comes, at its time limit", () =>
    withSecured(async ({ folder, kubeconfigOf }) => {
      const plugin = await makeExecPlugin(folder)
      await writeFile(join(folder, "plugin"), "#!/bin/sh\nexec sleep 3\n")
      const client = await connectCluster("test", { kubeconfig: await kubeconfigOf(plugin.user) }, log, {
        timeLimit: 50,
        retry: {
          attempts: 1,
          backoff: { first: 1, limit: 1 },
          clock: { now: Date.now, sleep: async () => {} },
        },
      })
      expect(await codeOf(client.get("ci", "x"))).toBe("kube/timeout")
      client.close()
    }))
})
