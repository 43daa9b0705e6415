import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withMemoryFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { connectCluster } from "./client-node/connect-cluster.ts"
import { loadKubeConfig } from "./client-node/load-kube-config.ts"
import { checkServiceAccount, inClusterAccess } from "./light/in-cluster-access.ts"
import { kubeconfigAccess } from "./light/kubeconfig-access.ts"

const HOST = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" }
const NAMED = [
  { cluster: { "certificate-authority": "pki/lost.pem" } },
  { user: { tokenFile: "pki/lost.pem" } },
  { user: { "client-certificate": "pki/lost.pem", "client-key-data": "a2V5" } },
  { user: { "client-certificate-data": "Y2VydA==", "client-key": "pki/lost.pem" } },
] as const

async function writeKubeconfig(folder: string, named: { cluster?: object; user?: object }): Promise<string> {
  const file = join(folder, "kubeconfig")
  const config = {
    clusters: [{ name: "east", cluster: { server: "https://127.0.0.1:1", ...named.cluster } }],
    users: [{ name: "operator", user: { ...named.user } }],
    contexts: [{ name: "east", context: { cluster: "east", user: "operator" } }],
    "current-context": "east",
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

/** The file and the kubeconfig are named, and what to do: it is no outage, which would be waited for. */
function missing(folder: string) {
  return {
    name: "UsageError",
    code: "kube/kubeconfig",
    message: expect.stringMatching(
      `${join(folder, "kubeconfig")}: its .* ${join(folder, "pki/lost.pem")} cannot be read: there is no such file`,
    ),
    hint: expect.stringMatching(/^Write or mount that file, or correct its path: .*\.$/),
  }
}

describe("a file that a kubeconfig names and that is not there", () => {
  it.each(NAMED)("is a fault of the settings for agents and for the plugin: %j", (named) =>
    withMemoryFolder(async (folder) => {
      const kubeconfig = await writeKubeconfig(folder, named)
      await expect(kubeconfigAccess(kubeconfig)).rejects.toMatchObject(missing(folder))
      await expect(loadKubeConfig("east", { kubeconfig })).rejects.toMatchObject(missing(folder))
    }),
  )

  it("matters to no user with an exec plugin, nor where the data is in the kubeconfig", () =>
    withMemoryFolder(async (folder) => {
      const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "true" }
      const kubeconfig = await writeKubeconfig(folder, {
        cluster: { "certificate-authority": "lost.pem", "certificate-authority-data": "Y2E=" },
        user: { exec, tokenFile: "lost.pem" },
      })
      await expect(kubeconfigAccess(kubeconfig)).resolves.toMatchObject({ tls: { ca: Buffer.from("ca") } })
      await expect(loadKubeConfig("east", { kubeconfig })).resolves.toBeDefined()
    }))

  it("is named when it goes away later", () =>
    withMemoryFolder(async (folder) => {
      await writeFile(join(folder, "ca.pem"), "")
      const kubeconfig = await writeKubeconfig(folder, { cluster: { "certificate-authority": "ca.pem" } })
      const client = await connectCluster("east", { kubeconfig }, createLog("test", { level: "silent" }))
      try {
        await rm(join(folder, "ca.pem"))
        await expect(client.get("ci", "x")).rejects.toMatchObject({
          code: "kube/kubeconfig",
          message: expect.stringContaining(
            `its certificate-authority ${join(folder, "ca.pem")} cannot be read`,
          ),
        })
      } finally {
        client.close()
      }
    }))
})

describe("a pod without the token or the CA of its service account", () => {
  it.each(["token", "ca.crt"])("is a fault of its settings: %s", (lost) =>
    withMemoryFolder(async (folder) => {
      for (const name of ["token", "ca.crt"]) if (name !== lost) await writeFile(join(folder, name), "x")
      const named = {
        name: "UsageError",
        code: "kube/not-in-cluster",
        message: expect.stringContaining(`${join(folder, lost)} cannot be read: there is no such file`),
        hint: expect.stringMatching(/^Set automountServiceAccountToken: true .*\.$/),
      }
      await expect(inClusterAccess(HOST, folder)).rejects.toMatchObject(named)
      await expect(checkServiceAccount(folder)).rejects.toMatchObject(named)
    }),
  )
})
