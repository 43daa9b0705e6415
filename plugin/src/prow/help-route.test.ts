import { describe, expect, it } from "vitest"
import { FakeBranch } from "../../../test/harness/fake-reconciler.ts"
import { withPlugin } from "../../../test/harness/with-plugin.ts"
import { withRedis } from "../../../test/harness/with-redis.ts"

async function ask(body: string, method = "POST"): Promise<{ status: number; text: string }> {
  return withRedis(({ url }) =>
    withPlugin({ redis: url, reconciler: new FakeBranch() }, async (plugin) => {
      const response = await fetch(`${plugin.url}/help`, method === "POST" ? { method, body } : { method })
      return { status: response.status, text: await response.text() }
    }),
  )
}

describe("/help", () => {
  it("tells Prow's hook what it does for the repositories that it is enabled for", async () => {
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
