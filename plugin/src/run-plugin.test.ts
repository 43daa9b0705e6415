import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "@headrace/shared/foundation/free-port"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { Webhooks } from "@octokit/webhooks"
import { describe, expect, it } from "vitest"
import { until } from "../../test/harness/until.ts"
import { withFolder } from "../../test/harness/with-folder.ts"
import { withKube } from "../../test/harness/with-kube.ts"
import { pushEvent } from "../../test/harness/with-plugin.ts"
import { withRedis } from "../../test/harness/with-redis.ts"
import { withRepo } from "../../test/harness/with-repo.ts"
import { runPlugin } from "./run-plugin.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {one: [ci], two: [ci]}}\n"
const SECRET = "of the tests"

async function jobsOf(kubeconfig: string): Promise<Record<string, string> | undefined> {
  const client = await connectCluster("any", { kubeconfig }, createLog("test", { level: "silent" }))
  try {
    return (await client.get("ci", "jobs"))?.data
  } finally {
    client.close()
  }
}

describe("headrace-plugin", () => {
  it(
    "carries a push into the clusters of its settings, and of settings that change",
    { timeout: 60_000 },
    () =>
      withFolder((folder) =>
        withRedis((redis) =>
          withRepo((repo) =>
            withKube((one) =>
              withKube(async (two) => {
                await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1\n" })
                const config = join(folder, "headrace.yaml")
                const secretFile = join(folder, "hmac")
                await writeFile(secretFile, SECRET)
                const settings = (clusters: object) =>
                  JSON.stringify({
                    version: 1,
                    sources: {
                      release: {
                        url: repo.folder,
                        branch: "main",
                        rules: "rules.yaml",
                        repo: "openshift/release",
                        poll: "1h",
                      },
                    },
                    clusters,
                    redis: { url: redis.url },
                    webhook: { secretFiles: [secretFile] },
                    mirrors: join(folder, "mirrors"),
                  })
                await writeFile(config, settings({ one: { kubeconfig: one.kubeconfigFile } }))
                const listen = `127.0.0.1:${await freePort()}`
                const stop = new AbortController()
                const running = runPlugin({ config, listen, drain: "0s", logLevel: "silent" }, stop.signal)
                try {
                  await until(async () => (await jobsOf(one.kubeconfigFile))?.["a.yaml"] === "a: 1\n")

                  const body = JSON.stringify(pushEvent(await repo.commit({ "jobs/a.yaml": "a: 2\n" })))
                  const headers = {
                    "content-type": "application/json",
                    "x-github-event": "push",
                    "x-github-delivery": "one",
                    "x-hub-signature-256": await new Webhooks({ secret: SECRET }).sign(body),
                  }
                  const answer = await fetch(`http://${listen}/hook`, { method: "POST", body, headers })
                  expect(answer.status).toBe(202)
                  await until(async () => (await jobsOf(one.kubeconfigFile))?.["a.yaml"] === "a: 2\n")
                  expect(await jobsOf(two.kubeconfigFile)).toBeUndefined()

                  await writeFile(
                    config,
                    settings({
                      one: { kubeconfig: one.kubeconfigFile },
                      two: { kubeconfig: two.kubeconfigFile },
                    }),
                  )
                  await until(async () => (await jobsOf(two.kubeconfigFile))?.["a.yaml"] === "a: 2\n")
                } finally {
                  stop.abort()
                  await running
                }
              }),
            ),
          ),
        ),
      ),
  )
})
