import type { IncomingMessage } from "node:http"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Route } from "@headrace/shared/observe/serve-http"
import type { OperatorSettings, SourceSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"
import { z } from "zod"
import { newBodyRoom, readBody } from "../webhook/read-body.ts"

/** What Prow's pluginhelp package reads. */
export interface PluginHelp {
  Description: string
  /** By `org/repo`; `""` is for all. */
  Config: Record<string, string>
  Events: string[]
  Commands: []
}

/** Repositories for which Prow's configuration enables this plugin, as its hook posts them. */
const EnabledRepos = z.array(z.object({ Org: z.string(), Repo: z.string() })).nullable()

const BODY_LIMIT_BYTES = 1024 * 1024
const ROOM = newBodyRoom(4 * BODY_LIMIT_BYTES)

/**
 * Answers Prow's hook, which asks its external plugins by POST /help what they do, for its help page.
 * https://docs.prow.k8s.io/docs/components/plugins/#external-plugins
 */
export function helpRoute(settings: Pick<OperatorSettings, "sources" | "clusters">): Route {
  return async (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(405, { "content-type": "text/plain; charset=utf-8" }).end("405 method not allowed\n")
      return
    }
    try {
      const help = pluginHelp(settings, await readEnabled(request))
      const headers = { "content-type": "application/json", "cache-control": "no-cache" }
      response.writeHead(200, headers).end(`${JSON.stringify(help)}\n`)
    } catch (error) {
      response.writeHead(400, { "content-type": "text/plain; charset=utf-8" }).end(`${errorText(error)}\n`)
    }
  }
}

/** What this plugin does for the enabled repositories. */
export function pluginHelp(
  settings: Pick<OperatorSettings, "sources" | "clusters">,
  enabled: readonly string[],
): PluginHelp {
  const clusters = Object.keys(settings.clusters).join(", ")
  const config: Record<string, string> = {}
  for (const source of Object.values(settings.sources)) {
    const repo = repoOfSource(source)
    if (repo === undefined || !enabled.includes(repo)) continue
    const text = `Changes of branch ${source.branch} are written to the ConfigMaps that ${rulesText(source)} names, in the clusters ${clusters}.`
    config[repo] = config[repo] === undefined ? text : `${config[repo]} ${text}`
  }
  return {
    Description: "headrace keeps ConfigMaps, and the nodes that use them, at the state of a git branch.",
    Config: config,
    Events: ["pull_request", "push"],
    Commands: [],
  }
}

function rulesText({ rules }: SourceSettings): string {
  return typeof rules === "string" ? rules : `${rules.path} of source ${rules.source}`
}

async function readEnabled(request: IncomingMessage): Promise<string[]> {
  const body = await readBody(request, ROOM, BODY_LIMIT_BYTES)
  const repos = EnabledRepos.parse(JSON.parse(body.toString("utf8")))
  return (repos ?? []).map(({ Org, Repo }) => `${Org}/${Repo}`)
}
