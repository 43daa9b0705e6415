import { FakeBranch } from "@headrace/test/harness/fake-reconciler"
import { OBJECTS_TOKEN, withPlugin } from "@headrace/test/harness/with-plugin"
import { withRedis } from "@headrace/test/harness/with-redis"
import { expect, it } from "vitest"

const headers = { authorization: `Bearer ${OBJECTS_TOKEN}` }
const PATH = `/objects/${"a".repeat(64)}`

it("serves objects on a port of their own alone, which serves nothing else", () =>
  withRedis((redis) =>
    withPlugin(
      { redis: redis.url, reconciler: new FakeBranch(), objects: async () => Buffer.from("content") },
      async ({ url, objectsUrl, metric }) => {
        const statusOf = async (at: string) => (await fetch(at, { headers })).status
        expect(await statusOf(`${objectsUrl}${PATH}`)).toBe(200)
        expect(await statusOf(`${url}${PATH}`)).toBe(404)
        for (const path of ["/hook", "/metrics", "/status", "/readyz"])
          expect(await statusOf(`${objectsUrl}${path}`), path).toBe(404)
        expect(await metric('headrace_object_requests_total{answer="served"}')).toBe(1)
      },
    ),
  ))

it("serves none unless it is asked to", () =>
  withRedis((redis) =>
    withPlugin({ redis: redis.url, reconciler: new FakeBranch() }, async ({ url, objectsUrl }) => {
      expect(objectsUrl).toBeUndefined()
      expect((await fetch(`${url}${PATH}`, { headers })).status).toBe(404)
    }),
  ))
