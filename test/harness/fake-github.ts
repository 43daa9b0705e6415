import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

export interface FakeComment {
  id: number
  body: string
  edits: number
}

export interface FakeGitHub {
  apiUrl: string
  /** By `ORG/NAME#NUMBER`. */
  comments: Map<string, FakeComment[]>
  /** `SHA state: description`, in the order they were set. */
  statuses: string[]
  /** `METHOD path` of every request. */
  requests: string[]
  /** Complaints about requests that GitHub would not have understood. */
  complaints: string[]
  /** Decides about each request before it is served; gives how it is to go wrong. */
  fault: (request: { method: string; path: string; count: number }) => Fault | undefined
  /** Files of every pull request. */
  files: { filename: string; status: string; previous_filename?: string }[]
}

/** `refuse`: answered so instead of being done. `lose`: done, but the connection breaks before the answer. */
export type Fault = { refuse: number; headers?: Record<string, string> } | "lose"

const TOKEN = "token of-the-tests"

/** The part of GitHub's REST API that speaks of pull requests' files, comments and statuses, over HTTP. */
export async function withFakeGitHub<T>(fn: (github: FakeGitHub) => Promise<T>): Promise<T> {
  const github: FakeGitHub = {
    apiUrl: "",
    comments: new Map(),
    statuses: [],
    requests: [],
    complaints: [],
    fault: () => undefined,
    files: [],
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
  judge(github, request, pathname)
  const count = github.requests.filter((one) => one === `${method} ${path}`).length
  const fault = github.fault({ method, path, count })
  if (fault !== undefined && fault !== "lose") {
    response.writeHead(fault.refuse, { "content-type": "application/json", ...fault.headers })
    response.end(JSON.stringify({ message: "refused by the test" }))
    return
  }
  const answer = act(github, method, path, searchParams, body)
  if (fault === "lose") {
    response.destroy()
    return
  }
  const next = nextPage(github, request.url ?? "", answer)
  response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...next })
  response.end(JSON.stringify(answer.body))
}

function judge(github: FakeGitHub, request: IncomingMessage, pathname: string): void {
  if (!pathname.startsWith("/api/v3/")) github.complaints.push(`${pathname} is not below the API's base`)
  if (request.headers.authorization !== TOKEN) github.complaints.push("no or wrong authorization")
  if (!request.headers["user-agent"]?.includes("headrace")) github.complaints.push("no user agent")
}

interface Answer {
  status: number
  body: unknown
}

function act(
  github: FakeGitHub,
  method: string,
  path: string,
  query: URLSearchParams,
  body: JsonBody,
): Answer {
  const files = /^\/repos\/[^/]+\/[^/]+\/pulls\/\d+\/files$/.exec(path)
  if (method === "GET" && files) return { status: 200, body: page(github.files, query) }
  const comments = /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/.exec(path)
  if (comments) return actOnComments(github, method, `${comments[1]}#${comments[2]}`, query, body)
  const comment = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(path)
  if (method === "PATCH" && comment) return editComment(github, Number(comment[1]), body)
  const status = /^\/repos\/[^/]+\/[^/]+\/statuses\/([0-9a-f]{40})$/.exec(path)
  if (method === "POST" && status) {
    github.statuses.push(`${status[1]} ${body.context} ${body.state}: ${body.description}`)
    return { status: 201, body: {} }
  }
  github.complaints.push(`${method} ${path} is nothing that GitHub knows`)
  return { status: 404, body: { message: "Not Found" } }
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
  const created = { id: 1000 + github.requests.length, body: String(body.body), edits: 0 }
  github.comments.set(pull, [...all, created])
  return { status: 201, body: created }
}

function editComment(github: FakeGitHub, id: number, body: JsonBody): Answer {
  const comment = [...github.comments.values()].flat().find((one) => one.id === id)
  if (comment === undefined) return { status: 404, body: { message: "Not Found" } }
  comment.body = String(body.body)
  comment.edits++
  return { status: 200, body: comment }
}

function page<T>(all: readonly T[], query: URLSearchParams): T[] {
  const size = Number(query.get("per_page") ?? 30)
  const number = Number(query.get("page") ?? 1)
  return all.slice((number - 1) * size, number * size)
}

/** GitHub tells by a Link header that there is more; clients follow it and count nothing. */
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
