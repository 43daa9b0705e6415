import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withFolder } from "@headrace/test/harness/with-folder"
import { type TestKube, withKube } from "@headrace/test/harness/with-kube"
import { pushEvent } from "@headrace/test/harness/with-plugin"
import { withRedis } from "@headrace/test/harness/with-redis"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { Webhooks } from "@octokit/webhooks"
import { describe, expect, it } from "vitest"
import { freePort } from "../../config/local/free-port.ts"
import { runPlugin } from "./run-plugin.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {one: [ci], two: [ci]}}\n"
const SECRET = "of the tests"
const OPS_PATHS = ["/healthz", "/readyz", "/metrics"]

async function jobsOf({ kubeconfigFile: kubeconfig }: TestKube): Promise<Record<string, string> | undefined> {
  const client = await connectCluster("any", { kubeconfig }, createLog("test", { level: "silent" }))
  try {
    return (await client.get("ci", "jobs"))?.data
  } finally {
    client.close()
  }
}

interface Scene {
  repo: TestRepo
  one: TestKube
  two: TestKube
  listen: string
  /** Writes the operator's file: these clusters, and this secret's file in place of the right one. */
  settle(clusters: Record<string, TestKube>, secretFile?: string): Promise<void>
  /** Reports a push of this commit; gives the status of the answer. */
  push(sha: string): Promise<number>
}

/** The plugin as it runs in production, from its file on, with one cluster to begin with. */
function withScene(fn: (scene: Scene) => Promise<void>, ports: { opsListen?: string } = {}): Promise<void> {
  return withFolder((folder) =>
    withRedis((redis) =>
      withRepo((repo) =>
        withKube((one) =>
          withKube(async (two) => {
            const config = join(folder, "headrace.yaml")
            const rightSecret = join(folder, "hmac")
            await writeFile(rightSecret, SECRET)
            await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1\n" })
            const listen = `127.0.0.1:${await freePort()}`
            const scene: Scene = {
              repo,
              one,
              two,
              listen,
              push: (sha) => sendPush(`http://${listen}/hook`, sha),
              async settle(clusters, secretFile = rightSecret) {
                const settings = settingsFor(clusters, repo, redis.url, secretFile, join(folder, "mirrors"))
                await writeFile(config, JSON.stringify(settings))
              },
            }
            await scene.settle({ one })
            const stop = new AbortController()
            const running = runPlugin(
              { config, listen, ...ports, drain: "0s", logLevel: "silent" },
              stop.signal,
            )
            try {
              await until(async () => (await jobsOf(one))?.["a.yaml"] === "a: 1\n")
              await fn(scene)
            } finally {
              stop.abort()
              await running
            }
          }),
        ),
      ),
    ),
  )
}

function settingsFor(
  clusters: Record<string, TestKube>,
  repo: TestRepo,
  redis: string,
  secretFile: string,
  mirrors: string,
): object {
  const places = Object.entries(clusters).map(([name, { kubeconfigFile }]) => [
    name,
    { kubeconfig: kubeconfigFile, namespaces: ["ci"] },
  ])
  const source = {
    url: repo.folder,
    branch: "main",
    rules: "rules.yaml",
    repo: "openshift/release",
    poll: "1h",
  }
  return {
    version: 1,
    sources: { release: source },
    clusters: Object.fromEntries(places),
    redis: { url: redis },
    webhook: { secretFiles: [secretFile] },
    mirrors,
  }
}

let pushes = 0

async function sendPush(url: string, sha: string): Promise<number> {
  const body = JSON.stringify(pushEvent(sha))
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": `push-${++pushes}`,
    "x-hub-signature-256": await new Webhooks({ secret: SECRET }).sign(body),
  }
  const response = await fetch(url, { method: "POST", body, headers })
  await response.text()
  return response.status
}

describe("headrace-plugin", () => {
  it("carries a push into the clusters of its settings", () =>
    withScene(async ({ repo, one, two, push }) => {
      expect(await push(await repo.commit({ "jobs/a.yaml": "a: 2\n" }))).toBe(202)
      await until(async () => (await jobsOf(one))?.["a.yaml"] === "a: 2\n")
      expect(await jobsOf(two)).toBeUndefined()
    }))

  it("serves the webhook alone on its port when probes and metrics have one of their own", async () => {
    const opsListen = `127.0.0.1:${await freePort()}`
    await withScene(
      async ({ repo, one, two, listen, settle, push }) => {
        const statuses = (at: string) =>
          Promise.all(OPS_PATHS.map(async (path) => (await fetch(`http://${at}${path}`)).status))
        expect(await push(await repo.tip())).toBe(202)
        expect(await statuses(listen)).toEqual([404, 404, 404])
        expect(await statuses(opsListen)).toEqual([200, 200, 200])
        expect((await fetch(`http://${opsListen}/hook`, { method: "POST" })).status).toBe(404)
        await settle({ one, two })
        await until(async () => (await jobsOf(two))?.["a.yaml"] === "a: 1\n")
        expect(await statuses(listen)).toEqual([404, 404, 404])
        expect(await statuses(opsListen)).toEqual([200, 200, 200])
      },
      { opsListen },
    )
  })

  it("takes every webhook while it starts over with changed settings, and stays ready", () =>
    withScene(async ({ repo, one, two, listen, settle, push }) => {
      const statuses = new Set<string>()
      let changed = false
      const knocking = (async () => {
        while (!changed) {
          statuses.add(`hook ${await push(await repo.tip())}`)
          statuses.add(`ready ${(await fetch(`http://${listen}/readyz`)).status}`)
        }
      })()
      try {
        await settle({ one, two })
        await until(async () => (await jobsOf(two))?.["a.yaml"] === "a: 1\n")
      } finally {
        changed = true
        await knocking
      }
      expect([...statuses].sort()).toEqual(["hook 202", "ready 200"])
    }))

  it("stays with the last good settings while changed ones do not start", () =>
    withScene(async ({ repo, one, two, listen, settle, push }) => {
      const isRejected = async () => {
        const text = await (await fetch(`http://${listen}/metrics`)).text()
        return /^headrace_settings_rejected (\d)$/m.exec(text)?.[1]
      }
      expect(await isRejected()).toBe("0")
      await settle({ one, two }, "/nowhere/hmac")
      await until(async () => (await isRejected()) === "1")
      expect(await push(await repo.commit({ "jobs/a.yaml": "a: 3\n" }))).toBe(202)
      await until(async () => (await jobsOf(one))?.["a.yaml"] === "a: 3\n")
      expect(await jobsOf(two)).toBeUndefined()
    }))
})
