import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { WakeUp } from "@headrace/shared/lanes/wake-up"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp } from "@headrace/shared/observe/serve-http"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { wakeRoutes } from "./wake-routes.ts"
import { openWebhookSecrets } from "./webhook-secrets.ts"

const log = createLog("test", { level: "silent" })

interface Waking {
  wake(path: string, init?: RequestInit): Promise<Response>
  woken: [string, string][]
}

/** Sources `jobs` and `tools` in two clusters, two secrets; `refuse`: Redis is away. */
function withWaking(use: (waking: Waking) => Promise<void>, refuse = false): Promise<void> {
  return withFolder(async (folder) => {
    const files = ["one", "two"].map((name) => join(folder, name))
    for (const file of files) await writeFile(file, `secret of ${file.slice(-3)}`.replaceAll(" ", "-"))
    const woken: [string, string][] = []
    const lanes = {
      async wake(cluster: string, { source }: WakeUp) {
        if (refuse) throw new Error("away")
        woken.push([cluster, source])
      },
    } as Partial<Lanes> as Lanes
    const secrets = await openWebhookSecrets(files, log)
    const routes = wakeRoutes({ lanes, clusters: ["a", "b"], sources: ["jobs", "tools"], secrets, log })
    const http = await openHttp("127.0.0.1:0", log)
    await http.serve({ routes })
    try {
      await use({ woken, wake: (path, init) => fetch(`${http.url}${path}`, { method: "POST", ...init }) })
    } finally {
      await http.close()
    }
  })
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } })

describe("POST /wake/SOURCE", () => {
  it("wakes the source in every cluster, with either secret, whatever its body", () =>
    withWaking(async ({ wake, woken }) => {
      expect((await wake("/wake/jobs", bearer("secret-of-one"))).status).toBe(202)
      const second = await wake("/wake/tools?ref=x", {
        ...bearer("secret-of-two"),
        body: '{"ref":"refs/heads/x"}',
      })
      expect([second.status, await second.text()]).toEqual([202, "woken: tools\n"])
      expect(woken).toEqual([
        ["a", "jobs"],
        ["b", "jobs"],
        ["a", "tools"],
        ["b", "tools"],
      ])
    }))

  it("refuses any other secret, method and source, and wakes nothing", () =>
    withWaking(async ({ wake, woken }) => {
      for (const secret of ["", "secret-of-on", "secret-of-one2", "x".repeat(5000)]) {
        expect((await wake("/wake/jobs", bearer(secret))).status).toBe(401)
      }
      expect((await wake("/wake/jobs")).status).toBe(401)
      expect((await wake("/wake/jobs", { headers: { authorization: "Basic secret-of-one" } })).status).toBe(
        401,
      )
      expect((await wake("/wake/jobs", { ...bearer("secret-of-one"), method: "GET" })).status).toBe(405)
      for (const path of ["/wake/nobody", "/wake/", "/wake", "/wake/jobs/x"]) {
        expect((await wake(path, bearer("secret-of-one"))).status).toBe(404)
      }
      expect(woken).toEqual([])
    }))

  it("says when to try again while the lanes cannot take it", () =>
    withWaking(async ({ wake }) => {
      const response = await wake("/wake/jobs", bearer("secret-of-one"))
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"])
    }, true))
})
