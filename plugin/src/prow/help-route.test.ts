import { FakeBranch } from "@headrace/test/harness/fake-reconciler"
import { until } from "@headrace/test/harness/until"
import { mergedEvent, withPlugin } from "@headrace/test/harness/with-plugin"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"

async function ask(body: string, method = "POST"): Promise<{ status: number; text: string }> {
  return withRedis(({ url }) =>
    withPlugin({ redis: url, reconciler: new FakeBranch() }, async (plugin) => {
      const response = await fetch(`${plugin.url}/help`, method === "POST" ? { method, body } : { method })
      return { status: response.status, text: await response.text() }
    }),
  )
}

describe("/help", () => {
  it("describes to Prow's hook what it does for the repositories that it is enabled for", async () => {
    const enabled = [
      { Org: "openshift", Repo: "release" },
      { Org: "openshift", Repo: "unknown" },
    ]
    const { status, text } = await ask(JSON.stringify(enabled))
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      Config: { "openshift/release": expect.stringContaining("rules.yaml") },
      Events: ["pull_request", "push"],
      Commands: [],
    })
    expect(Object.keys(JSON.parse(text).Config)).toEqual(["openshift/release"])
  })

  it("takes Go's null for an empty list, and refuses what is no list", async () => {
    expect((await ask("null")).status).toBe(200)
    expect((await ask('{"Org":1}')).status).toBe(400)
    expect((await ask("[", "POST")).status).toBe(400)
    expect((await ask("", "GET")).status).toBe(405)
  })
})

describe("an external plugin of Prow", () => {
  it("takes events at the top path, with the headers that Prow's hook sends on", () =>
    withRedis(({ url }) => {
      const branch = new FakeBranch()
      return withPlugin({ redis: url, reconciler: branch, path: "/" }, async (plugin) => {
        const headers = { "user-agent": "ProwHook", "x-hub-signature": `sha1=${"0".repeat(40)}` }
        const answer = await plugin.deliver("pull_request", mergedEvent(branch.merge()), { headers })
        expect(answer.status).toBe(202)
        await until(() => branch.shown.get("build01/release") === branch.tipNumber)
        expect((await fetch(`${plugin.url}/readyz`)).status).toBe(200)
      })
    }))
})
