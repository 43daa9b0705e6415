import { once } from "node:events"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "vitest"
import { fetchWithinOrigin } from "./fetch-within-origin.ts"

const INIT = { method: "POST", headers: { authorization: "Bearer secret" }, body: "{}" }

it("follows a redirect within the origin, with method, headers and body", () =>
  withServer(async (serve) => {
    const got: (string | undefined)[] = []
    const url = await serve((request, response) => {
      got.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      if (request.url === "/a") response.writeHead(301, { location: "/b" }).end()
      else void bodyOf(request).then((body) => response.end(body))
    })

    expect(await (await fetchWithinOrigin(`${url}/a`, INIT)).text()).toBe("{}")
    expect(got).toEqual(["POST /a Bearer secret", "POST /b Bearer secret"])
  }))

it.each([301, 302, 303, 307, 308])("asks no other port, whatever answers (%i)", (status) =>
  withServer(async (serve) => {
    const asked: (string | undefined)[] = []
    const other = await serve((request, response) => {
      asked.push(request.url)
      response.end("stolen")
    })
    const url = await serve(
      (_request, response) => void response.writeHead(status, { location: `${other}/b` }).end(),
    )

    await expect(fetchWithinOrigin(`${url}/a`, INIT)).rejects.toMatchObject({
      code: "http/redirected",
      message: `${url}/a redirects to ${other}`,
    })
    expect(asked).toEqual([])
  }),
)

it.each(["/a", "http://["])("ends for a redirect to %s", (location) =>
  withServer(async (serve) => {
    const url = await serve((_request, response) => void response.writeHead(302, { location }).end())

    await expect(fetchWithinOrigin(`${url}/a`)).rejects.toMatchObject({ code: "http/redirected" })
  }),
)

async function withServer(use: (serve: (listener: RequestListener) => Promise<string>) => Promise<void>) {
  const servers: ReturnType<typeof createServer>[] = []
  try {
    await use(async (listener) => {
      const server = createServer(listener).listen(0, "127.0.0.1")
      servers.push(server)
      await once(server, "listening")
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
  } finally {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
