import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { withMemoryFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { openConnection } from "./connection.ts"
import { kubeconfigAccess } from "./kubeconfig-access.ts"

/** The path of a kubeconfig whose user has a token and `fields`. */
async function writeKubeconfig(folder: string, port: number, fields: object): Promise<string> {
  const file = join(folder, "kubeconfig")
  const config = {
    clusters: [{ name: "east", cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: "operator", user: { token: "strong", ...fields } }],
    contexts: [{ name: "east", context: { cluster: "east", user: "operator" } }],
    "current-context": "east",
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

describe("a kubeconfig that impersonates", () => {
  it("has the server act as that user, as kubectl does", () =>
    withMemoryFolder(async (folder) => {
      const server = createServer((request, response) =>
        response.end(JSON.stringify([request.headers.authorization, request.headers["impersonate-user"]])),
      ).listen(0, "127.0.0.1")
      await once(server, "listening")
      const { port } = server.address() as AddressInfo
      const access = await kubeconfigAccess(await writeKubeconfig(folder, port, { as: "weak" }))
      const connection = openConnection(access, "test")
      try {
        const answer = await connection.send(
          { method: "GET", path: "/api", what: "test" },
          AbortSignal.timeout(60_000),
        )
        const chunks = await answer.setEncoding("utf8").toArray()
        expect(JSON.parse(chunks.join(""))).toEqual(["Bearer strong", "weak"])
      } finally {
        connection.close()
        server.close()
      }
    }))

  it.each([{ "as-groups": ["weak"] }, { "as-uid": "1" }, { "as-user-extra": { scopes: ["view"] } }])(
    "is refused where it would have other rights than by kubectl: %j",
    (fields) =>
      withMemoryFolder(async (folder) => {
        const file = await writeKubeconfig(folder, 1, { as: "weak", ...fields })
        await expect(kubeconfigAccess(file)).rejects.toMatchObject({
          code: "kube/kubeconfig",
          message: expect.stringContaining(`the user "operator" has ${Object.keys(fields)[0]}`),
        })
      }),
  )
})
