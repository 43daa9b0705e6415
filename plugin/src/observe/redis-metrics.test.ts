import { FakeBranch } from "@headrace/test/harness/fake-reconciler"
import { it } from "@headrace/test/harness/fixtures"
import { until } from "@headrace/test/harness/until"
import { withPlugin } from "@headrace/test/harness/with-plugin"
import { Redis } from "ioredis"

it("the metrics of a plugin name what is wrong with its Redis, and count what it repaired there", ({
  redis,
}) =>
  withPlugin({ redis: redis.url, reconciler: new FakeBranch() }, async ({ metric, lanes }) => {
    const admin = new Redis(redis.url)
    try {
      const trouble = 'headrace_redis_trouble{code="lanes/redis-no-writes"}'
      await admin.replicaof("127.0.0.1", 1)
      await until(async () => (await metric(trouble)) === 1)
      await admin.replicaof("NO", "ONE")
      await until(async () => (await metric(trouble)) === 0)

      const repairs = 'headrace_lane_repairs_total{cluster="build01"}'
      const before = await metric(repairs)
      await admin.set(lanes.key("lane-build01", "delayed"), "theirs")
      await until(async () => (await metric(repairs)) > before)
    } finally {
      admin.disconnect()
    }
  }))
