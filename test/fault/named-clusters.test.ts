import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect, it } from "vitest"
import { FakeBranch } from "../harness/fake-reconciler.ts"
import { until } from "../harness/until.ts"
import { pushEvent, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"

const CLUSTERS = ["ci/api-build01:6443", "arn:aws:eks:us-east-1:123456789012:cluster/prod", "build01"]

it("works the lanes of clusters as people name them, each for itself", () =>
  withRedis(async ({ url }) => {
    const branch = new FakeBranch()
    await withPlugin({ redis: url, reconciler: branch, clusters: CLUSTERS }, async (plugin) => {
      const shown = () => CLUSTERS.map((cluster) => branch.shown.get(`${cluster}/release`))
      await until(() => shown().every((number) => number === 1))
      const sha = branch.merge()
      expect((await plugin.deliver("push", pushEvent(sha), { guid: "g" })).status).toBe(202)
      await until(() => shown().every((number) => number === 2))
      const { lanes } = plugin
      const outcome = (cluster: string) =>
        lanes.redis.hget(lanes.key("delivery", "g"), `outcome/${cluster}/release`)
      for (const cluster of CLUSTERS)
        await until(async () => (await outcome(cluster))?.includes('"written"') === true)
    })
  }))

it("takes such names in the settings, and none that a path or a flag could be", () => {
  const settings = (cluster: string) =>
    OperatorSettings.safeParse({ version: 1, sources: {}, clusters: { [cluster]: {} } }).success
  expect(CLUSTERS.map(settings)).toEqual([true, true, true])
  expect(["", "/etc", "-x", "a b", "a/", "../x", "a\n"].map(settings)).toEqual(Array(7).fill(false))
})
