import { once } from "node:events"
import { rm, writeFile } from "node:fs/promises"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import type { Clock } from "@headrace/shared/foundation/clock"
import { kubeconfigAccess } from "@headrace/shared/kube/light/kubeconfig-access"
import { type LightClient, lightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect } from "vitest"
import { makeExecPlugin, tokenAnswer } from "../harness/exec-plugin.ts"
import { it } from "../harness/fixtures.ts"
import { kubeconfigFor } from "../harness/kubeconfig-for.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { codeOf } from "./contract-suite.ts"

const log = createLog("test", { level: "silent" })
const watch = { duration: 20_000, silence: 300 }

async function withClient(test: (client: LightClient, kube: TestKube) => Promise<void>): Promise<void> {
  await withKube(async (kube) => {
    kube.store.create(CONFIG_MAPS, "ci", { metadata: { name: "x" }, data: { a: "1" } })
    const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log, timeLimit: 300, watch })
    try {
      await test(client, kube)
    } finally {
      client.close()
    }
  })
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

describe("the light client under faults", () => {
  it("asks a hundred times over one connection", async () => {
    await withClient(async (client, kube) => {
      for (let i = 0; i < 100; i += 1) await client.get("ci", "x")
      expect(kube.requests.get("get", "configmaps")).toBe(100)
      expect(kube.requests.connections).toBe(1)
    })
  })

  it("goes on after the server closed the idle connection", async () => {
    await withClient(async (client, kube) => {
      await client.get("ci", "x")
      kube.dropConnections()
      expect((await client.get("ci", "x"))?.data).toEqual({ a: "1" })
    })
  })

  it.each([
    [{ kind: "hang" } as const, "kube/timeout"],
    [{ kind: "close" } as const, "kube/unavailable"],
    [{ kind: "truncate" } as const, "kube/unavailable"],
    [{ kind: "status", status: 500 } as const, "kube/unavailable"],
    [{ kind: "status", status: 503 } as const, "kube/unavailable"],
    [{ kind: "status", status: 504 } as const, "kube/timeout"],
    [{ kind: "status", status: 410 } as const, "kube/gone"],
  ])("names the fault %j as %s, and takes it for an absence never", async (answer, code) => {
    await withClient(async (client, kube) => {
      kube.faults.plan({ answer, times: 2 })
      expect(await codeOf(client.get("ci", "x"))).toBe(code)
      expect(await codeOf(client.list("ci", {}))).toBe(code)
      expect((await client.list("ci", {})).items).toHaveLength(1)
    })
  })

  it("passes on how long the server asks it to wait", async () => {
    await withClient(async (client, kube) => {
      kube.faults.plan({ answer: { kind: "status", status: 429, retryAfterSeconds: 7 }, times: 1 })
      const refused = client.get("ci", "x")
      await expect(refused).rejects.toMatchObject({ code: "kube/too-many-requests", retryAfter: 7000 })
    })
  })

  it("gives up a connection through which nothing comes any more", async () => {
    await withClient(async (_client, kube) => {
      // A peer that takes everything and says nothing is what a half-open connection looks like from here.
      const sockets: Socket[] = []
      const mute = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1")
      await once(mute, "listening")
      const address = mute.address() as { port: number }
      const access = await kubeconfigAccess(kube.kubeconfigFile)
      const server = new URL(`http://127.0.0.1:${address.port}`)
      const client = lightClient({ ...access, server }, { log, timeLimit: 200, watch })
      try {
        expect(await codeOf(client.get("ci", "x"))).toBe("kube/timeout")
        const events = client.watch("ci", { resourceVersion: "1" }, new AbortController().signal)
        expect(await codeOf(drain(events))).toBe("kube/timeout")
      } finally {
        client.close()
        for (const socket of sockets) socket.destroy()
        mute.close()
      }
    })
  })

  it("does not ask again by itself when an answer is reset on its way", async () => {
    let asked = 0
    function answer(socket: Socket): void {
      socket
        .on("error", () => undefined)
        .on("data", () => {
          asked += 1
          // The first answer leaves its socket to the second, which is reset after its first chunk.
          if (asked === 1) socket.write("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
          else socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n\n\r\n")
          if (asked === 2) setTimeout(() => socket.resetAndDestroy(), 50)
        })
    }
    await withSocketServer(answer, async (client) => {
      await client.get("ci", "x").catch(() => undefined)
      const events = client.watch("ci", { resourceVersion: "1" }, new AbortController().signal)
      expect(await codeOf(drain(events))).toBe("kube/unavailable")
      await delay(50)
      expect(asked).toBe(2)
    })
  })

  it("gives up an object, a refusal and an event that do not end", async () => {
    let head = ""
    let sent = 0
    function answer(socket: Socket): void {
      const flood = (): void => {
        while (!socket.destroyed && socket.write("x".repeat(65_536))) sent += 65_536
      }
      socket.on("error", () => undefined).on("drain", flood)
      socket.once("data", () => {
        socket.write(`HTTP/1.1 ${head}\r\nconnection: close\r\n\r\n`)
        flood()
      })
    }
    await withSocketServer(answer, async (client) => {
      for (head of ["200 OK", "500 Broken"]) {
        expect(await codeOf(client.get("ci", "x"))).toBe("kube/answer-too-large")
        const events = client.watch("ci", { resourceVersion: "1" }, new AbortController().signal)
        expect(await codeOf(drain(events))).toBe("kube/answer-too-large")
      }
      expect(sent).toBeLessThan(4 * 64 * 1024 * 1024)
    })
  })

  it("refuses a watch event that is cut off, and one that is no JSON", async () => {
    for (const line of ['{"type":"ADDED","object":{"kind":"Conf', "<html>\n"]) {
      const server = createServer((socket) => {
        socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${line}`))
      }).listen(0, "127.0.0.1")
      await once(server, "listening")
      const url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
      const access = { server: url, tls: {}, credential: async () => ({}), refuse: () => undefined }
      const client = lightClient(access, { log, watch })
      try {
        const events = client.watch("ci", { resourceVersion: "1" }, new AbortController().signal)
        expect(await codeOf(drain(events))).toBe("kube/unavailable")
      } finally {
        client.close()
        server.close()
      }
    }
  })

  it("reads a rotated token file, and keeps the last good token while the file is away", async ({
    folder,
    kube,
  }) => {
    const tokenFile = join(folder, "token")
    await writeFile(tokenFile, `${kube.token}\n`)
    const kubeconfig = await kubeconfigFor(kube, folder, { tokenFile: "token" })
    const client = await openLightClient({ kubeconfig, log })
    try {
      expect(await client.get("ci", "x")).toBeUndefined()
      await rm(tokenFile)
      expect(await client.get("ci", "x")).toBeUndefined()
      kube.setTokens(["second"])
      expect(await codeOf(client.get("ci", "x"))).toBe("kube/unauthorized")
      await writeFile(tokenFile, "second\n")
      expect(await client.get("ci", "x")).toBeUndefined()
    } finally {
      client.close()
    }
  })

  it("runs an exec plugin when needed: first, when its credential expires or is refused, or the clock jumps past it", async ({
    folder,
    kube,
  }) => {
    const plugin = await makeExecPlugin(folder)
    await plugin.answer(tokenAnswer(kube.token, new Date(3_600_000)))
    const kubeconfig = await kubeconfigFor(kube, folder, plugin.user)
    let now = 0
    const clock: Clock = { now: () => now, sleep: async () => undefined }
    const client = lightClient(await kubeconfigAccess(kubeconfig, undefined, clock), { log })
    try {
      await Promise.all([client.get("ci", "x"), client.get("ci", "y")])
      await client.get("ci", "x")
      expect(await plugin.runs()).toBe(1)
      now = 3_595_000
      await client.get("ci", "x")
      expect(await plugin.runs()).toBe(2)
      now = -86_400_000
      await client.get("ci", "x")
      expect(await plugin.runs()).toBe(2)
      kube.setTokens(["second"])
      await plugin.answer(tokenAnswer("second", new Date(3_600_000)))
      expect(await client.get("ci", "x")).toBeUndefined()
      expect(await plugin.runs()).toBe(3)
      await plugin.answer("no json")
      kube.setTokens(["third"])
      expect(await codeOf(client.get("ci", "x"))).toBe("kube/unauthorized")
    } finally {
      client.close()
    }
  })

  it("names what is wrong with a kubeconfig, and shows none of its secrets", async ({ folder }) => {
    const file = join(folder, "kubeconfig")
    for (const text of [
      "clusters: 5\nusers: [{name: a, user: {token: s3cret}}]",
      "users: [{name: a, user: {token: s3cret}}]\nclusters: {",
      "current-context: x\nclusters: []\ncontexts: []",
    ]) {
      await writeFile(file, text)
      const opened = openLightClient({ kubeconfig: file, log })
      await expect(opened).rejects.toMatchObject({ code: "kube/kubeconfig" })
      await expect(opened).rejects.toThrow(file)
      await expect(opened).rejects.not.toThrow("s3cret")
    }
  })
})

/** A light client of a server that answers byte by byte, past every HTTP library. */
async function withSocketServer(
  answer: (socket: Socket) => void,
  use: (client: LightClient) => Promise<void>,
): Promise<void> {
  const server = createServer(answer).listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const access = { server: url, tls: {}, credential: async () => ({}), refuse: () => undefined }
  const client = lightClient(access, { log })
  try {
    await use(client)
  } finally {
    client.close()
    server.close()
  }
}
