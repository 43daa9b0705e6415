import { createHmac } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { readOutcome } from "@headrace/plugin/deliveries/answer-deliveries"
import { type SettledPlugin, startOnSettings } from "@headrace/plugin/start-on-settings"
import { parseConfigMap } from "@headrace/shared/kube/protocol/config-map-json"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { type HttpServer, openHttp } from "@headrace/shared/observe/serve-http"
import type { Traces } from "@headrace/shared/observe/traces"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect } from "vitest"
import { type FakeGitHub, withFakeGitHub } from "./fake-github.ts"
import { withKube } from "./with-kube.ts"
import { withRedis } from "./with-redis.ts"
import { type TestRepo, withRepo } from "./with-repo.ts"

/** A repository on GitHub whose webhooks come to a whole plugin: real git, Redis and lanes, one cluster `build01`. */
export interface MergeSite {
  repo: TestRepo
  /** What the cluster holds. */
  store: ObjectStore
  github: FakeGitHub
  /** Starts the plugin, or starts it over, with these members of source `release` changed, or other sources. */
  start(release?: object, others?: Record<string, object>): Promise<void>
  /** Starts one more plugin on the same Redis; gives what ends it, gracefully. */
  startAnother(): Promise<() => Promise<void>>
  /** `to`: which of the running plugins, the first being 0. */
  deliver(event: string, payload: object, more?: DeliverOptions): Promise<Delivered>
  /** Keys and texts of a ConfigMap in namespace `ci`, without VERSION. */
  shown(name: string): Record<string, string>
  metric(line: string): Promise<number>
}

export interface DeliverOptions {
  to?: number
  form?: boolean
  guid?: string
}

export interface Delivered {
  guid: string
  status: number
  result: string
  message: string
  sources?: string[]
  /** `STATE` of what became of it in the cluster, with the code of what kept it; undefined: nothing yet. */
  outcome(source?: string): Promise<string | undefined>
}

const SECRET = "of the site"

/** A plugin in this process, with a port of its own. */
interface Running {
  http: HttpServer
  plugin: SettledPlugin | undefined
}

/**
 * Runs `fn` with a site whose first commit is made, but no plugin yet. In the end GitHub must not have complained, and
 * no secret may be in the log, which is as verbose as it can be.
 */
export function withMergeSite(
  files: Record<string, string>,
  fn: (site: MergeSite) => Promise<void>,
  { traces }: { traces?: Traces } = {},
): Promise<void> {
  return withRedis((redis) =>
    withKube((kube) =>
      withRepo((repo) =>
        withFakeGitHub(async (github) => {
          await repo.commit(files)
          const secretFile = join(repo.scratch, "hmac")
          const tokenFile = join(repo.scratch, "token")
          await writeFile(secretFile, SECRET)
          await writeFile(tokenFile, github.logins.token)
          let said = ""
          const log = createLog("site", { level: "trace", destination: { write: (line) => (said += line) } })
          const lanes = await openLanes({ redis: redis.url, log })
          const first: Running = { http: await openHttp("127.0.0.1:0", log), plugin: undefined }
          const running: Running[] = [first]
          const usual = {
            url: repo.folder,
            branch: "main",
            rules: "rules.yaml",
            repo: "openshift/release",
            poll: "1h",
          }
          const settingsOf = (release: object, others: object) =>
            OperatorSettings.parse({
              version: 1,
              sources: { release: { ...usual, ...release }, ...others },
              clusters: { build01: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
              redis: { url: redis.url },
              webhook: { secretFiles: [secretFile] },
              github: { tokenFile, apiUrl: github.apiUrl },
              mirrors: join(repo.scratch, "mirrors"),
            })
          const foundOf = (release: object, others: object) => ({
            settings: settingsOf(release, others),
            redisUrl: redis.url,
          })
          const site: MergeSite = {
            repo,
            store: kube.store,
            github,
            async start(release = {}, others = {}) {
              const { http, plugin } = first
              first.plugin = await startOnSettings(foundOf(release, others), { http, traces, log }, plugin)
            },
            async startAnother() {
              const http = await openHttp("127.0.0.1:0", log)
              const one = { http, plugin: await startOnSettings(foundOf({}, {}), { http, traces, log }) }
              running.push(one)
              return async () => {
                running.splice(running.indexOf(one), 1)
                await end(one)
              }
            },
            async deliver(event, payload, more = {}) {
              const { http } = running[more.to ?? 0] ?? first
              noteMerge(github, payload)
              const { guid, status, answer } = await deliver(`${http.url}/hook`, event, payload, more)
              return {
                guid,
                status,
                ...answer,
                async outcome(source = "release") {
                  const text = await lanes.redis.hget(
                    lanes.key("delivery", guid),
                    `outcome/build01/${source}`,
                  )
                  if (text === null) return undefined
                  const { state, error } = readOutcome(text) ?? { state: "unreadable", error: null }
                  return error ? `${state} ${error.code}` : state
                },
              }
            },
            shown(name) {
              if (!kube.store.has(CONFIG_MAPS, "ci", name)) return {}
              const { VERSION: _, ...data } =
                parseConfigMap(kube.store.get(CONFIG_MAPS, "ci", name)).data ?? {}
              return data
            },
            async metric(line) {
              const text = await (await fetch(`${first.http.url}/metrics`)).text()
              const found = text.split("\n").find((one) => one.startsWith(`${line} `))
              return Number(found?.slice(line.length + 1) ?? 0)
            },
          }
          try {
            await fn(site)
            expect(github.complaints).toEqual([])
            expect(said).not.toContain("the mirror is damaged")
            for (const secret of [SECRET, github.logins.token]) expect(said).not.toContain(secret)
          } finally {
            await Promise.all(running.map(end))
            await lanes.close()
          }
        }),
      ),
    ),
  )
}

/** GitHub knows each merge that it reports. */
function noteMerge(github: FakeGitHub, payload: object): void {
  const {
    number,
    pull_request: pull,
    repository,
  } = payload as {
    number?: number
    pull_request?: { merged?: boolean; merge_commit_sha?: string; base?: { ref?: string } }
    repository?: { full_name?: string }
  }
  const { merged = false, merge_commit_sha: sha, base } = pull ?? {}
  if (!sha || !base?.ref) return
  github.pulls.set(`${repository?.full_name}#${number}`, { merged, sha, branch: base.ref })
}

async function end({ http, plugin }: Running): Promise<void> {
  await http.close()
  await plugin?.endWork()
  await plugin?.close()
}

let delivered = 0

async function deliver(
  url: string,
  event: string,
  payload: object,
  { form = false, guid = newGuid() }: DeliverOptions,
) {
  const json = JSON.stringify(payload)
  const body = form ? new URLSearchParams({ payload: json }).toString() : json
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": form ? "application/x-www-form-urlencoded" : "application/json",
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-event": event,
      "x-github-delivery": guid,
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    },
  })
  const answer = (await response.json()) as Pick<Delivered, "result" | "message" | "sources">
  return { guid, status: response.status, answer }
}

function newGuid(): string {
  return `00000000-0000-0000-0000-${String(++delivered).padStart(12, "0")}`
}
