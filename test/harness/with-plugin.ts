import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import type { ReadObject } from "@headrace/plugin/objects/read-object"
import { type RunningPlugin, startPlugin } from "@headrace/plugin/start-plugin"
import type { PluginReconciler } from "@headrace/plugin/work/plugin-reconciler"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp } from "@headrace/shared/observe/serve-http"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { Webhooks } from "@octokit/webhooks"

export const WEBHOOK_SECRET = "a secret of the tests"
/** Of readers of objects. */
export const OBJECTS_TOKEN = "token-of-the-tests"

export interface TestPlugin {
  url: string
  /** Of the port that serves objects. */
  objectsUrl: string | undefined
  lanes: Lanes
  /** Sends an event as GitHub does, signed over its bytes; gives status and body. */
  deliver(event: string, payload: unknown, more?: DeliverOptions): Promise<{ status: number; body: string }>
  metric(line: string): Promise<number>
}

export interface DeliverOptions {
  guid?: string
  secret?: string
  headers?: Record<string, string>
}

export interface WithPluginOptions {
  redis: string
  reconciler: PluginReconciler
  clusters?: readonly string[]
  poll?: string
  /** Path that webhooks come to. */
  path?: string
  /** What is served of the store, on a port of its own, to readers with OBJECTS_TOKEN; absent: nothing. */
  objects?: ReadObject
}

/**
 * Runs the plugin in this process, on a port of its own, with the reconciler given: source `release` of
 * openshift/release, branch `main`, and source `tools`, whose rules come from `release`.
 */
export async function withPlugin<T>(
  { redis, reconciler, clusters = ["build01"], poll = "1h", path = "/hook", objects }: WithPluginOptions,
  fn: (plugin: TestPlugin) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder("headrace-plugin-")
  const secretFile = join(folder, "hmac")
  await writeFile(secretFile, `${WEBHOOK_SECRET}\n`)
  const tokenFile = join(folder, "token")
  await writeFile(tokenFile, OBJECTS_TOKEN)
  const settings = OperatorSettings.parse({
    version: 1,
    sources: {
      release: { url: "https://github.com/openshift/release.git", branch: "main", rules: "rules.yaml", poll },
      tools: {
        url: "https://github.com/openshift/tools.git",
        branch: "main",
        rules: { source: "release", path: "tools.yaml" },
        poll,
      },
    },
    clusters: Object.fromEntries(clusters.map((name) => [name, {}])),
    webhook: { secretFiles: [secretFile], path },
    ...(objects && { objects: { tokenFiles: [tokenFile] } }),
  })
  const log = createLog("test", { level: process.env.HEADRACE_TEST_LOG ?? "silent" })
  const lanes = await openLanes({ redis, log })
  const http = await openHttp("127.0.0.1:0", log)
  const objectsHttp = objects && (await openHttp("127.0.0.1:0", log))
  const served = objects && objectsHttp && { http: objectsHttp, read: objects }
  let plugin: RunningPlugin | undefined
  try {
    plugin = await startPlugin({ settings, lanes, reconciler, http, objects: served, log })
    return await fn({ ...testPlugin(http.url, path, lanes), objectsUrl: objectsHttp?.url })
  } finally {
    await http.close()
    await objectsHttp?.close()
    await plugin?.endWork()
    await lanes.close()
    await rm(folder, { recursive: true })
  }
}

let delivered = 0

function testPlugin(url: string, path: string, lanes: Lanes): Omit<TestPlugin, "objectsUrl"> {
  return {
    url,
    lanes,
    async deliver(event, payload, { guid, secret = WEBHOOK_SECRET, headers = {} } = {}) {
      const body = JSON.stringify(payload)
      const response = await fetch(`${url}${path}`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "x-github-event": event,
          "x-github-delivery": guid ?? `delivery-${++delivered}`,
          "x-hub-signature-256": await new Webhooks({ secret }).sign(body),
          ...headers,
        },
      })
      return { status: response.status, body: await response.text() }
    },
    async metric(line) {
      const text = await (await fetch(`${url}/metrics`)).text()
      const value = text.split("\n").find((one) => one.startsWith(`${line} `))
      return value === undefined ? 0 : Number(value.slice(line.length + 1))
    },
  }
}

export function pushEvent(sha: string, branch = "main", repo = "openshift/release"): unknown {
  return { ref: `refs/heads/${branch}`, after: sha, repository: { full_name: repo } }
}

export function mergedEvent(sha: string, number = 7, branch = "main", repo = "openshift/release"): unknown {
  return {
    action: "closed",
    number,
    pull_request: { merged: true, merge_commit_sha: sha, base: { ref: branch } },
    repository: { full_name: repo },
  }
}
