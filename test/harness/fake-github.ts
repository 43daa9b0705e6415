import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { complaintsAbout, type FakeLogins, newLogins, tokenOfApp } from "./fake-github-logins.ts"

export interface FakeComment {
  id: number
  body: string
  edits: number
  user: { login: string; type: string }
  performed_via_github_app: { id: number } | null
}

export interface FakeGitHub {
  apiUrl: string
  logins: FakeLogins
  /** By `ORG/NAME#NUMBER`. */
  comments: Map<string, FakeComment[]>
  /** `SHA state: description`, in the order they were set. */
  statuses: string[]
  /** Deployments, in the order they were made. */
  deployments: FakeDeployment[]
  /** `METHOD path` of every request. */
  requests: string[]
  /** Complaints about requests that GitHub would not have understood, or not have wanted. */
  complaints: string[]
  /** Decides about each request before it is served; gives how it is to go wrong. */
  fault: (request: { method: string; path: string; count: number }) => Fault | undefined
  /** Files of every pull request, unless `filesOf` says otherwise. */
  files: FakeFile[]
  filesOf: Map<string, FakeFile[]>
  /** How a pull request was merged, by `ORG/NAME#NUMBER`; others are as `mergedAs` says. */
  pulls: Map<string, FakePull>
  /** The commit as which every pull request was merged into main that `pulls` does not name; undefined: none was. */
  mergedAs: string | undefined
  /** Milliseconds since the epoch until which it has asked everybody to wait. */
  quietUntil: number
}

export interface FakeDeployment {
  id: number
  sha: string
  environment: string
  task: string
  creator: { login: string; type: string }
  performed_via_github_app: { id: number } | null
  /** `state: description`, newest last. */
  statuses: string[]
}

export interface FakePull {
  merged: boolean
  sha: string
  branch: string
}

export interface FakeFile {
  filename: string
  status: string
  previous_filename?: string
}

/** `refuse`: answered so instead of being done. `lose`: done, but the connection breaks before the answer. */
export type Fault = { refuse: number; headers?: Record<string, string>; message?: string } | "lose"

const MOST_CHARACTERS = 65_536
const MOST_DESCRIPTION = 140
const STATES = ["error", "failure", "pending", "success"]
/** Clocks of timers and of `Date` need not agree to the millisecond. */
const SLACK_MS = 20

/**
 * The part of GitHub's REST API that speaks of logins, pull requests' files, comments and statuses, over HTTP.
 * It complains about what GitHub would refuse: missing or ended credentials, texts that are too long, and
 * requests before the time that it has asked to wait for is over.
 */
export async function withFakeGitHub<T>(fn: (github: FakeGitHub) => Promise<T>): Promise<T> {
  const github: FakeGitHub = {
    apiUrl: "",
    logins: newLogins(),
    comments: new Map(),
    statuses: [],
    deployments: [],
    requests: [],
    complaints: [],
    fault: () => undefined,
    files: [],
    filesOf: new Map(),
    pulls: new Map(),
    mergedAs: "a".repeat(40),
    quietUntil: 0,
  }
  const server = createServer((request, response) => void serve(github, request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  github.apiUrl = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/api/v3`
  try {
    return await fn(github)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

async function serve(github: FakeGitHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://fake")
  const path = pathname.replace("/api/v3", "")
  const method = request.method ?? ""
  const body = await readJson(request)
  github.requests.push(`${method} ${path}`)
  github.complaints.push(...complaintsAbout(request, pathname, github.logins))
  if (Date.now() < github.quietUntil - SLACK_MS) github.complaints.push(`${method} ${path} came too soon`)
  const count = github.requests.filter((one) => one === `${method} ${path}`).length
  const fault = github.fault({ method, path, count })
  if (fault !== undefined && fault !== "lose") return refuse(github, fault, response)
  const answer = act(github, method, path, searchParams, body, request)
  if (fault === "lose") {
    response.destroy()
    return
  }
  const next = nextPage(github, request.url ?? "", answer)
  response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...next })
  response.end(JSON.stringify(answer.body))
}

function refuse(github: FakeGitHub, fault: Exclude<Fault, "lose">, response: ServerResponse): void {
  const wait = Number(fault.headers?.["retry-after"] ?? 0)
  if (wait > 0) github.quietUntil = Date.now() + wait * 1000
  response.writeHead(fault.refuse, { "content-type": "application/json", ...fault.headers })
  response.end(JSON.stringify({ message: fault.message ?? "refused by the test" }))
}

interface Answer {
  status: number
  body: unknown
}

const NOT_FOUND: Answer = { status: 404, body: { message: "Not Found" } }

function act(
  github: FakeGitHub,
  method: string,
  path: string,
  query: URLSearchParams,
  body: JsonBody,
  request: IncomingMessage,
): Answer {
  if (method === "GET" && path === "/user") return { status: 200, body: { login: github.logins.user } }
  const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path)
  if (method === "POST" && installation) return tokenOfApp(request, Number(installation[1]), github.logins)
  const read = method === "GET" ? readMerge(github, path, query) : undefined
  if (read) return read
  const comments = /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/.exec(path)
  if (comments) return actOnComments(github, method, `${comments[1]}#${comments[2]}`, query, body)
  const comment = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(path)
  if (method === "PATCH" && comment) return editComment(github, Number(comment[1]), body)
  const status = /^\/repos\/[^/]+\/[^/]+\/statuses\/([0-9a-f]{40})$/.exec(path)
  if (method === "POST" && status) return setStatus(github, status[1] ?? "", body)
  if (/^\/repos\/[^/]+\/[^/]+\/deployments/.test(path))
    return actOnDeployments(github, method, path, query, body)
  github.complaints.push(`${method} ${path} is nothing that GitHub knows`)
  return NOT_FOUND
}

/** What is read of a merged pull request, or of its commit. */
function readMerge(github: FakeGitHub, path: string, query: URLSearchParams): Answer | undefined {
  const pull = /^\/repos\/([^/]+\/[^/]+)\/pulls\/(\d+)(\/files)?$/.exec(path)
  const name = `${pull?.[1]}#${pull?.[2]}`
  if (pull?.[3]) return { status: 200, body: page(github.filesOf.get(name) ?? github.files, query) }
  if (pull) return readPull(github, name)
  const listed = /^\/repos\/[^/]+\/[^/]+\/commits\/([0-9a-f]{40})\/statuses$/.exec(path)
  return listed ? listStatuses(github, listed[1] ?? "") : undefined
}

function readPull(github: FakeGitHub, name: string): Answer {
  const usual = github.mergedAs && { merged: true, sha: github.mergedAs, branch: "main" }
  const pull = github.pulls.get(name) ?? usual
  if (!pull) return NOT_FOUND
  const { merged, sha, branch } = pull
  return { status: 200, body: { merged, merge_commit_sha: sha, base: { ref: branch } } }
}

function listStatuses(github: FakeGitHub, sha: string): Answer {
  const own = github.statuses.filter((one) => one.startsWith(`${sha} `)).reverse()
  const body = own.map((one) => {
    const [context, state, ...description] = one.slice(sha.length + 1).split(" ")
    const creator = fakeComment(github, 0, "").user
    const text = description.join(" ")
    return {
      context,
      state: state?.slice(0, -1),
      description: text,
      creator,
      created_at: new Date().toISOString(),
    }
  })
  return { status: 200, body }
}

const DEPLOYMENT_STATES = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]

function actOnDeployments(
  github: FakeGitHub,
  method: string,
  path: string,
  query: URLSearchParams,
  body: JsonBody,
): Answer {
  const id = Number(/\/deployments\/(\d+)\/statuses$/.exec(path)?.[1])
  const deployment = github.deployments.find((one) => one.id === id)
  if (deployment === undefined) return id ? NOT_FOUND : listOrMakeDeployment(github, method, query, body)
  if (method === "GET") return { status: 200, body: [...deployment.statuses].reverse().map(deploymentStatus) }
  const { state, description } = body
  const fits = DEPLOYMENT_STATES.includes(String(state)) && String(description).length <= MOST_DESCRIPTION
  if (!fits) github.complaints.push(`a deployment status ${state}: ${description}`)
  if (fits) deployment.statuses.push(`${state}: ${description}`)
  return fits ? { status: 201, body: {} } : { status: 422, body: { message: "Validation Failed" } }
}

function deploymentStatus(said: string): object {
  const [state, ...description] = said.split(": ")
  return { state, description: description.join(": ") }
}

function listOrMakeDeployment(
  github: FakeGitHub,
  method: string,
  query: URLSearchParams,
  body: JsonBody,
): Answer {
  if (method === "GET") {
    const wanted = ["sha", "environment", "task"] as const
    const found = github.deployments.filter((one) => wanted.every((name) => one[name] === query.get(name)))
    return { status: 200, body: found.reverse() }
  }
  if (body.auto_merge !== false || !Array.isArray(body.required_contexts)) {
    github.complaints.push("a deployment that merges, or waits for checks")
  }
  const { user, performed_via_github_app } = fakeComment(github, 0, "")
  const made: FakeDeployment = {
    id: 5000 + github.deployments.length,
    sha: String(body.ref),
    environment: String(body.environment),
    task: String(body.task),
    creator: user,
    performed_via_github_app,
    statuses: [],
  }
  github.deployments.push(made)
  return { status: 201, body: made }
}

function actOnComments(
  github: FakeGitHub,
  method: string,
  pull: string,
  query: URLSearchParams,
  body: JsonBody,
): Answer {
  const all = github.comments.get(pull) ?? []
  if (method === "GET") return { status: 200, body: page(all, query) }
  if (isTooLong(github, body)) return { status: 422, body: { message: "Validation Failed" } }
  const created = fakeComment(github, 1000 + github.requests.length, String(body.body))
  github.comments.set(pull, [...all, created])
  return { status: 201, body: created }
}

/** A comment as we write them; `user` another's login. */
export function fakeComment(github: FakeGitHub, id: number, body: string, user?: string): FakeComment {
  const { app } = github.logins
  const login = user ?? (app ? `${app.slug}[bot]` : github.logins.user)
  const byApp = app !== undefined && user === undefined
  return {
    id,
    body,
    edits: 0,
    user: { login, type: byApp ? "Bot" : "User" },
    performed_via_github_app: byApp ? { id: app.appId } : null,
  }
}

function editComment(github: FakeGitHub, id: number, body: JsonBody): Answer {
  const comment = [...github.comments.values()].flat().find((one) => one.id === id)
  if (comment === undefined) return NOT_FOUND
  if (isTooLong(github, body)) return { status: 422, body: { message: "Validation Failed" } }
  comment.body = String(body.body)
  comment.edits++
  return { status: 200, body: comment }
}

function isTooLong(github: FakeGitHub, { body }: JsonBody): boolean {
  const fits = typeof body === "string" && body.length > 0 && body.length <= MOST_CHARACTERS
  if (!fits) github.complaints.push(`a comment of ${String(body).length} characters`)
  return !fits
}

function setStatus(github: FakeGitHub, sha: string, { context, state, description }: JsonBody): Answer {
  const fits = STATES.includes(String(state)) && String(description).length <= MOST_DESCRIPTION
  if (!fits) github.complaints.push(`a status ${state}: ${description}`)
  if (fits) github.statuses.push(`${sha} ${context} ${state}: ${description}`)
  return fits ? { status: 201, body: {} } : { status: 422, body: { message: "Validation Failed" } }
}

function page<T>(all: readonly T[], query: URLSearchParams): T[] {
  const size = Number(query.get("per_page") ?? 30)
  const number = Number(query.get("page") ?? 1)
  return all.slice((number - 1) * size, number * size)
}

/** GitHub reports by a Link header that there is more; clients follow it and count nothing. */
function nextPage(github: FakeGitHub, url: string, answer: Answer): { link?: string } {
  const next = new URL(url, github.apiUrl)
  const size = Number(next.searchParams.get("per_page") ?? 30)
  if (!Array.isArray(answer.body) || answer.body.length < size) return {}
  next.searchParams.set("page", String(Number(next.searchParams.get("page") ?? 1) + 1))
  return { link: `<${next.href}>; rel="next"` }
}

type JsonBody = Record<string, unknown>

async function readJson(request: IncomingMessage): Promise<JsonBody> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return text === "" ? {} : (JSON.parse(text) as JsonBody)
}
