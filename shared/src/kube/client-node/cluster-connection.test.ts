import { writeFile } from "node:fs/promises"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { embeddedKubeconfig } from "../../../../config/local/embedded-kube/embedded-kubeconfig.ts"
import { createLog } from "../../observe/log.ts"
import { type ConnectedCluster, connectCluster } from "./connect-cluster.ts"

const log = createLog("test", { level: "silent" })
const object = {
  metadata: { namespace: "ci", name: "x", resourceVersion: "1" },
  data: { a: "ä".repeat(50_000) },
}

/** A client of a server on loopback that answers so; `asked` has its requests. */
function withServer(
  answer: RequestListener,
  use: (client: ConnectedCluster, asked: { method: string; accepts: string }[]) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const asked: { method: string; accepts: string }[] = []
    const server = createServer((request, response) => {
      const { method = "", headers } = request
      asked.push({ method, accepts: String(headers["accept-encoding"] ?? "") })
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const kubeconfig = join(folder, "kubeconfig")
    await writeFile(
      kubeconfig,
      embeddedKubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "t"),
    )
    const client = await connectCluster("one", { kubeconfig }, log)
    try {
      await use(client, asked)
    } finally {
      client.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
}

it("reads an answer that comes compressed, and asks for none where it repeats what was sent", () =>
  withServer(
    (request, response) => {
      const text = JSON.stringify(object)
      const isGet = request.method === "GET"
      const headers = { "content-type": "application/json", ...(isGet && { "content-encoding": "gzip" }) }
      request.resume().on("end", () => response.writeHead(200, headers).end(isGet ? gzipSync(text) : text))
    },
    async (client, asked) => {
      expect(await client.get("ci", "x")).toMatchObject(object)
      expect(await client.replace(object)).toMatchObject(object)
      expect(asked).toEqual([
        { method: "GET", accepts: "gzip" },
        { method: "PUT", accepts: "" },
      ])
    },
  ))

it.each([301, 302, 307, 308])("follows no redirect (%i), whose target would get the token", (status) =>
  withServer(
    (request, response) => {
      request.resume()
      response.writeHead(status, { location: "/elsewhere" }).end()
    },
    async (client, asked) => {
      await expect(client.create(object)).rejects.toMatchObject({ code: expect.stringMatching(/^kube\//) })
      expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(["POST"]))
    },
  ),
)
