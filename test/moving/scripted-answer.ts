import { type AddressInfo, createServer } from "node:net"

/** Runs `fn` with the URL of a server that answers as a shell script does: with this text, whatever it is asked. */
export async function withScriptedAnswer(text: string, fn: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined)
    socket.once("data", () => socket.end(text))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await fn(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.close()
  }
}
