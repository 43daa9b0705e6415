import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { FakeBranch } from "../harness/fake-reconciler.ts"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"

const HOURS_MS = 3 * 3_600_000

it(
  "reports a lane that has not succeeded for long by metric, readiness and status",
  { timeout: 180_000 },
  () =>
    withFolder((folder) =>
      withRedis(async ({ url }) => {
        const branch = new FakeBranch()
        branch.down.add("build02")
        await withPlugin(
          { redis: url, reconciler: branch, clusters: ["build01", "build02"] },
          async (plugin) => {
            const late = (cluster: string) =>
              plugin.metric(`headrace_lane_late{cluster="${cluster}",source="release"}`)
            await until(() => branch.shown.has("build01/release"))
            await until(async () => (await late("build01")) === 0)
            expect(await late("build02")).toBe(1)
            const long = new Date(Date.now() - HOURS_MS)
            await plugin.lanes.redis.hset(plugin.lanes.key("successes", "build02"), "release", long.getTime())
            const ready = await fetch(`${plugin.url}/readyz`)
            expect(ready.status).toBe(200)
            const text = await ready.text()
            expect(text).toContain(`late: release last succeeded in build02 at ${long.toISOString()}`)
            expect(text).toContain("late: tools has not yet succeeded in build02")
            expect(text).not.toContain("build01")
            expect(await late("build02")).toBe(1)

            const { clusterSources } = JSON.parse(await status(folder, url, "-o", "json"))
            const laneOf = (name: string) =>
              clusterSources.find(({ cluster }: { cluster: string }) => cluster === name).lane
            expect(laneOf("build01").late).toBe(false)
            expect(laneOf("build02")).toEqual({ late: true, lastSuccess: long.toISOString() })
            const shown = await status(folder, url, "--cluster", "build02")
            const flat = shown.replace(/\s+/g, " ")
            expect(flat).toContain("✗ release in build02 absent")
            const time = long.toISOString().replace(/\.\d+Z$/, "Z")
            expect(flat).toContain(`late: its lane last succeeded ${time} (3 h ago): the last run failed: `)
          },
        )
      }),
    ),
)

/** What `status` prints of two clusters that show nothing yet. */
function status(folder: string, redis: string, ...args: string[]): Promise<string> {
  return withKube(async ({ kubeconfigFile: kubeconfig }) => {
    const config = join(folder, "headrace.yaml")
    const settings = {
      version: 1,
      sources: { release: { url: folder, branch: "main", rules: "rules.yaml" } },
      clusters: { build01: { kubeconfig }, build02: { kubeconfig } },
      redis: { url: redis },
      mirrors: join(folder, "mirrors"),
    }
    await writeFile(config, JSON.stringify(settings))
    return (await runBootstrapper(["status", "--config", config, "--no-fetch", ...args])).stdout
  })
}
