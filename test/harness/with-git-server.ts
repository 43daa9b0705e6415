import { spawn } from "node:child_process"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { basename, dirname } from "node:path"
import { testGitEnvironment } from "./with-repo.ts"

export interface GitServer {
  /** `http://127.0.0.1:PORT/NAME` of the repository, the work tree's `.git` included. */
  url: string
  /** What each request sent to log in; undefined: nothing. */
  authorizations: (string | undefined)[]
  /** The only token that is let in; undefined: everybody is. */
  token: string | undefined
  /** Where every request is sent on to; undefined: it is answered here. */
  redirect: string | undefined
}

/** Runs `fn` with a repository served over HTTP by git's own http-backend. */
export async function withGitServer<T>(folder: string, fn: (server: GitServer) => Promise<T>): Promise<T> {
  const state: GitServer = { url: "", authorizations: [], token: undefined, redirect: undefined }
  const http = createServer((request, response) => answer(request, response, folder, state))
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  state.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/${basename(folder)}`
  try {
    return await fn(state)
  } finally {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
}

function answer(request: IncomingMessage, response: ServerResponse, folder: string, state: GitServer): void {
  const { authorization } = request.headers
  state.authorizations.push(authorization)
  if (state.redirect !== undefined) {
    response.writeHead(301, { location: state.redirect + (request.url ?? "").replace(/^\/[^/]+/, "") }).end()
    return
  }
  const expected = `Basic ${Buffer.from(`x-access-token:${state.token}`).toString("base64")}`
  if (state.token !== undefined && authorization !== expected) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end()
    return
  }
  serve(request, response, folder)
}

/** One request through git-http-backend(1), by CGI (RFC 3875). */
function serve(request: IncomingMessage, response: ServerResponse, folder: string): void {
  const url = new URL(request.url ?? "/", "http://localhost")
  const backend = spawn("git", ["http-backend"], {
    env: {
      ...testGitEnvironment,
      GIT_PROJECT_ROOT: dirname(folder),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  })
  backend.stdin.on("error", () => {})
  request.pipe(backend.stdin)
  let head: Buffer | undefined = Buffer.alloc(0)
  backend.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) {
      response.write(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf("\r\n\r\n")
    if (end === -1) return
    const headers = head
      .subarray(0, end)
      .toString("latin1")
      .split("\r\n")
      .map((line) => line.split(": ", 2))
    const body = head.subarray(end + 4)
    head = undefined
    const status = headers.find(([name]) => name === "Status")?.[1]
    for (const [name = "", value = ""] of headers) if (name !== "Status") response.setHeader(name, value)
    response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10))
    response.write(body)
  })
  backend.once("close", () => response.end())
}
