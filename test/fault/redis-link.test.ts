import { describe, expect, it } from "vitest"
import { FakeBranch } from "../harness/fake-reconciler.ts"
import { until } from "../harness/until.ts"
import { pushEvent, type TestPlugin, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TcpLink, withTcpLink } from "../harness/with-tcp-link.ts"

interface Desk {
  link: TcpLink
  branch: FakeBranch
  plugin: TestPlugin
}

/** A plugin that has shown the branch once, and the way from it to Redis. */
async function withLink(test: (desk: Desk) => Promise<void>): Promise<void> {
  await withRedis(({ port }) =>
    withTcpLink(port, async (link) => {
      const branch = new FakeBranch()
      await withPlugin({ redis: `redis://127.0.0.1:${link.port}`, reconciler: branch }, async (plugin) => {
        await converged(branch)
        await test({ link, branch, plugin })
      })
    }),
  )
}

async function converged(branch: FakeBranch): Promise<void> {
  await until(() => branch.shown.get("build01/release") === branch.tipNumber)
}

async function merge({ branch, plugin }: Desk): Promise<number> {
  return (await plugin.deliver("push", pushEvent(branch.merge()))).status
}

describe.concurrent("a plugin whose way to Redis", () => {
  it("is slow takes every delivery, later", () =>
    withLink(async (desk) => {
      desk.link.latency = 25
      const statuses = await Promise.all(Array.from({ length: 20 }, () => merge(desk)))
      expect(statuses).toEqual(Array(20).fill(202))
      await converged(desk.branch)
    }))

  it("is too slow for GitHub refuses, and converges when it is quick again", () =>
    withLink(async (desk) => {
      desk.link.latency = 3500
      expect(await merge(desk)).toBe(503)
      desk.link.latency = 0
      await until(async () => (await merge(desk)) === 202)
      await converged(desk.branch)
    }))

  it("goes dead silently is reopened", () =>
    withLink(async (desk) => {
      desk.link.goSilent()
      expect(await merge(desk)).toBe(503)
      await until(async () => (await merge(desk)) === 202)
      await converged(desk.branch)
    }))
})
