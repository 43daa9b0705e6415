import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const CHUNK = "x".repeat(256 * 1024)

/** An API server, or GitHub, that answers everything with a body that does not end. */
export async function startHostileKube(): Promise<{ url: string; kubeconfig: string; close(): void }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write('{"kind":"ConfigMap","data":{"key":"')
    const more = (): void => {
      if (!response.destroyed) response.write(CHUNK, () => setImmediate(more))
    }
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const kubeconfig = JSON.stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
  })
  return {
    url,
    kubeconfig,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
