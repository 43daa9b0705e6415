import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { inClusterAccess } from "./in-cluster-access.ts"

describe("inClusterAccess", () => {
  it("takes the server from the environment, CA and token from the mounted account, the token again each time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "headrace-account-"))
    try {
      await writeFile(join(folder, "ca.crt"), "CA")
      await writeFile(join(folder, "token"), "first\n")
      const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" }
      const access = await inClusterAccess(environment, folder)
      expect(access.server.href).toBe("https://[fd00::1]:6443/")
      expect(String(access.tls.ca)).toBe("CA")
      expect(await access.credential()).toEqual({ authorization: "Bearer first" })
      await writeFile(join(folder, "token"), "second")
      expect(await access.credential()).toEqual({ authorization: "Bearer second" })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it("says so when there is no cluster around", async () => {
    await expect(inClusterAccess({})).rejects.toMatchObject({ code: "kube/not-in-cluster" })
  })
})
