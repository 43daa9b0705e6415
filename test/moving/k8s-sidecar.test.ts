import { readFileSync } from "node:fs"
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { systemClock } from "@headrace/shared/foundation/clock"
import { describe, expect, it } from "vitest"
import { withSidecarSite } from "../harness/run-sidecar.ts"
import { notRoot, whySkipped } from "../harness/why-skipped.ts"

interface Call {
  method: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** A consumer that answers with the statuses given, the last one for ever. */
async function withConsumer(
  statuses: number[],
  fn: (url: string, calls: Call[]) => Promise<void>,
): Promise<void> {
  const calls: Call[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    calls.push({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() })
    response.writeHead(statuses[Math.min(calls.length, statuses.length) - 1] ?? 200).end("x")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await fn(`http://127.0.0.1:${(server.address() as AddressInfo).port}/reload`, calls)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** What a consumer sees below a folder, by path. */
async function shown(folder: string, prefix = ""): Promise<Record<string, string>> {
  const names = await readdir(join(folder, prefix)).catch(() => [])
  const all: Record<string, string> = {}
  for (const name of names.filter((each) => prefix !== "" || !each.startsWith(".."))) {
    const path = join(prefix, name)
    if ((await stat(join(folder, path))).isDirectory()) Object.assign(all, await shown(folder, path))
    else all[path] = await readFile(join(folder, path), "utf8")
  }
  return all
}

/** Grafana's walk for dashboards: through no link to a folder, and no folder with a dot. */
async function walked(folder: string, prefix = ""): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(prefix, entry.name)
      if (entry.isDirectory()) return entry.name.startsWith(".") ? [] : await walked(folder, path)
      return entry.name.endsWith(".json") ? [path] : []
    }),
  )
  return found.flat().sort()
}

/** What the rulers of Loki, Cortex and Mimir read: each folder, links followed, is a tenant, and each file in it rules. */
async function tenants(folder: string): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {}
  for (const name of await readdir(folder)) {
    if (!(await stat(join(folder, name))).isDirectory()) continue
    const inside = await readdir(join(folder, name))
    const kinds = await Promise.all(inside.map((each) => stat(join(folder, name, each))))
    all[name] = inside.filter((_, index) => !kinds[index]?.isDirectory())
  }
  return all
}

describe("what is selected", () => {
  it("shows labelled ConfigMaps of its own namespace, follows changes, new keys and removals, and serves /healthz", async () => {
    await withSidecarSite(async ({ folder, put, remove, start }) => {
      const path = join(folder, "dashboards")
      const labels = { grafana_dashboard: "1" }
      put("own/one", { labels, data: { "a.json": "1" }, binaryData: { "b.bin": "AAE=" } })
      put("own/other", { labels: { grafana_dashboard: "no" }, data: { "c.json": "x" } })
      put("elsewhere/one", { labels, data: { "d.json": "x" } })
      const sidecar = start({ LABEL: "grafana_dashboard", LABEL_VALUE: "1", FOLDER: path })
      await expect.poll(() => shown(path)).toEqual({ "a.json": "1", "b.bin": "\0\u0001" })
      const url = String(sidecar.log().find(({ msg }) => msg === "k8s-sidecar started")?.url)
      await expect.poll(async () => (await fetch(`${url}/healthz`)).status).toBe(200)
      expect((await fetch(`${url}/else`)).status).toBe(404)
      put("own/one", { labels, data: { "a.json": "2", "new.json": "n" } })
      await expect.poll(() => shown(path)).toEqual({ "a.json": "2", "new.json": "n" })
      remove("own/one")
      await expect.poll(() => shown(path)).toEqual({})
    })
  })

  it("stays ready while the API server is away, so that its consumer stays in its Service", async () => {
    await withSidecarSite(async ({ folder, kube, put, start }) => {
      const path = join(folder, "x")
      put("own/one", { labels: { use: "x" }, data: { k: "1" } })
      let now = systemClock.now()
      const clock = { ...systemClock, now: () => now }
      const sidecar = start({ LABEL: "use", FOLDER: path, METHOD: "SLEEP", SLEEP_TIME: "0.05" }, clock)
      await expect.poll(() => shown(path)).toEqual({ k: "1" })
      await kube.close()
      const lines = () => sidecar.log().map(({ msg }) => msg)
      await expect.poll(lines).toContain("the API server cannot be read")
      now += 3_600_000
      const url = String(sidecar.log().find(({ msg }) => msg === "k8s-sidecar started")?.url)
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      expect(await shown(path)).toEqual({ k: "1" })
    })
  })

  it("goes on without /healthz when another container of the pod has the port", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      put("own/one", { labels: { use: "x" }, data: { k: "1" } })
      const first = start({ LABEL: "use", FOLDER: join(folder, "first") })
      const started = () => first.log().find(({ msg }) => msg === "k8s-sidecar started")
      await expect.poll(started).toBeDefined()
      const HEALTH_PORT = new URL(String(started()?.url)).port
      const second = start({ LABEL: "use", FOLDER: join(folder, "second"), HEALTH_PORT })
      await expect.poll(() => shown(join(folder, "second"))).toEqual({ k: "1" })
      expect(second.log().map(({ msg }) => msg)).toContain("HEALTH_PORT is taken, so there is no /healthz")
    })
  })

  it("NAMESPACE: a list, or ALL; LABEL without a value: any; RESOURCE both: Secrets too; RESOURCE_NAME: by name; UNIQUE_FILENAMES", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const labels = { use: "x" }
      put("a/one", { labels, data: { k: "a" } })
      put("b/one", { labels: { use: "y" }, data: { k: "b" } })
      put("c/one", { labels, data: { k: "c" } })
      put("a/hidden", { labels, data: { k: "s" } }, "Secret")
      const all = join(folder, "all")
      start({ LABEL: "use", FOLDER: all, NAMESPACE: "ALL", RESOURCE: "both", UNIQUE_FILENAMES: "true" })
      await expect
        .poll(() => shown(all))
        .toEqual({
          "namespace_a.configmap_one.k": "a",
          "namespace_a.secret_hidden.k": "s",
          "namespace_b.configmap_one.k": "b",
          "namespace_c.configmap_one.k": "c",
        })
      const two = join(folder, "two")
      start({ LABEL: "use", FOLDER: two, NAMESPACE: "a, b", UNIQUE_FILENAMES: "True" })
      await expect.poll(async () => Object.keys(await shown(two))).toHaveLength(2)
      const named = join(folder, "named")
      start({
        LABEL: "none",
        FOLDER: named,
        NAMESPACE: "a,b",
        RESOURCE: "both",
        RESOURCE_NAME: "b/configmap/one,secret/hidden",
        UNIQUE_FILENAMES: "true",
      })
      await expect
        .poll(() => shown(named))
        .toEqual({
          "namespace_a.secret_hidden.k": "s",
          "namespace_b.configmap_one.k": "b",
        })
    })
  })

  it("METHOD LIST ends after the first time; SLEEP reads again", async () => {
    await withSidecarSite(async ({ folder, put, remove, start }) => {
      const path = join(folder, "x")
      put("own/one", { labels: { use: "x" }, data: { k: "1" } })
      await start({ LABEL: "use", FOLDER: path, METHOD: "LIST" }).ended
      expect(await shown(path)).toEqual({ k: "1" })
      put("own/one", { labels: { use: "x" }, data: { k: "2" } })
      start({ LABEL: "use", FOLDER: path, METHOD: "SLEEP", SLEEP_TIME: "0.05" })
      await expect.poll(() => shown(path)).toEqual({ k: "2" })
      remove("own/one")
      await expect.poll(() => shown(path)).toEqual({})
    })
  })
})

describe("where files go", () => {
  it("FOLDER_ANNOTATION: a folder inside, relative or absolute; outside, .url keys and taken paths are left out by name", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const path = join(folder, "x")
      const labels = { use: "x" }
      const at = (place: string) => ({ "k8s-sidecar-target-directory": place })
      put("own/a", { labels, annotations: at("team/one"), data: { k: "a" } })
      put("own/b", { labels, annotations: at(`${path}/team`), data: { j: "b" } })
      put("own/c", { labels, annotations: at("/etc"), data: { passwd: "c" } })
      put("own/d", { labels, annotations: at("../up"), data: { k: "d" } })
      put("own/e", { labels, data: { "tool.url": "http://x/", top: "e" } })
      put("own/f", { labels, data: { top: "f" } })
      const sidecar = start({ LABEL: "use", FOLDER: path })
      await expect.poll(() => shown(path)).toEqual({ "team/one/k": "a", "team/j": "b", top: "e" })
      const line = sidecar.log().find(({ msg }) => msg === "keys are left out")
      expect(line?.keys).toEqual([
        expect.stringContaining("ConfigMap own/c: its annotation k8s-sidecar-target-directory leads out"),
        expect.stringContaining("ConfigMap own/d: its annotation"),
        'ConfigMap own/e, key "tool.url": keys that end in .url are not downloaded',
        'ConfigMap own/f, key "top": top is taken by ConfigMap own/e',
      ])
    })
  })

  it("shows real folders to readers that follow no link to one (Grafana), and folders without files of ours to rulers (Loki)", async () => {
    await withSidecarSite(async ({ folder, put, remove, start }) => {
      const path = join(folder, "x")
      const at = (place: string) => ({ "k8s-sidecar-target-directory": place })
      const labels = { use: "x" }
      put("own/a", { labels, annotations: at("team/one"), data: { "k.json": "a" } })
      put("own/b", { labels, data: { "top.json": "b" } })
      start({ LABEL: "use", FOLDER: path })
      await expect.poll(() => walked(path)).toEqual(["team/one/k.json", "top.json"])
      put("own/a", { labels, annotations: at("team"), data: { one: "a file now" } })
      await expect.poll(() => shown(path)).toEqual({ "team/one": "a file now", "top.json": "b" })
      put("own/a", { labels, annotations: at("team/one"), data: { "k.json": "again" } })
      await expect.poll(() => walked(path)).toEqual(["team/one/k.json", "top.json"])
      expect(Object.values(await tenants(path))).toEqual([["top.json"], [], []])
      remove("own/a")
      await expect
        .poll(async () => (await readdir(path)).filter((name) => !name.startsWith("..")))
        .toEqual(["top.json"])
    })
  })

  it("shares FOLDER with another sidecar; of one path the last that is published is shown", async () => {
    await withSidecarSite(async ({ folder, put, remove, start }) => {
      const path = join(folder, "x")
      const annotations = { "k8s-sidecar-target-directory": "d" }
      put("own/a", { labels: { a: "x" }, annotations, data: { a: "1", both: "a" } })
      put("own/b", { labels: { b: "x" }, annotations, data: { b: "1" } })
      start({ LABEL: "a", FOLDER: path })
      start({ LABEL: "b", FOLDER: path })
      await expect.poll(() => shown(path)).toEqual({ "d/a": "1", "d/b": "1", "d/both": "a" })
      put("own/b", { labels: { b: "x" }, annotations, data: { b: "2", both: "b" } })
      await expect.poll(() => shown(path)).toEqual({ "d/a": "1", "d/b": "2", "d/both": "b" })
      put("own/a", { labels: { a: "x" }, annotations, data: { a: "2", both: "a" } })
      await expect.poll(() => shown(path)).toEqual({ "d/a": "2", "d/b": "2", "d/both": "a" })
      remove("own/a")
      await expect.poll(async () => (await shown(path))["d/a"]).toBeUndefined()
      put("own/b", { labels: { b: "x" }, annotations, data: { b: "3", both: "b" } })
      await expect.poll(() => shown(path)).toEqual({ "d/b": "3", "d/both": "b" })
    })
  })

  it("writes into folders that are there, and leaves what else is in them", async () => {
    await withSidecarSite(async ({ folder, put, remove, start }) => {
      const path = join(folder, "x")
      await mkdir(join(path, "d"), { recursive: true })
      await writeFile(join(path, "d/old"), "of k8s-sidecar")
      await writeFile(join(path, "d/mine"), "stays")
      const annotations = { "k8s-sidecar-target-directory": "d" }
      put("own/a", { labels: { use: "x" }, annotations, data: { old: "new" } })
      start({ LABEL: "use", FOLDER: path })
      await expect.poll(() => shown(path)).toEqual({ "d/old": "new", "d/mine": "stays" })
      remove("own/a")
      await expect.poll(() => shown(path)).toEqual({ "d/mine": "stays" })
    })
  })

  it.skipIf(process.getuid?.() !== 0)(
    `gives files and folders the group of a volume with fsGroup, as the kubelet makes it${whySkipped(notRoot())}`,
    async () => {
      await withSidecarSite(async ({ folder, put, start }) => {
        const path = join(folder, "x")
        await mkdir(path)
        await chown(path, 0, 1234)
        await chmod(path, 0o2777)
        const annotations = { "k8s-sidecar-target-directory": "d/e" }
        put("own/a", { labels: { use: "x" }, annotations, data: { secret: "s" } })
        await start({ LABEL: "use", FOLDER: path, METHOD: "LIST", DEFAULT_FILE_MODE: "440" }).ended
        for (const each of ["d", "d/e", "d/e/secret"]) {
          expect((await stat(join(path, each))).gid, each).toBe(1234)
        }
        expect((await stat(join(path, "d/e/secret"))).mode & 0o777).toBe(0o440)
      })
    },
  )

  it("takes over the files that k8s-sidecar left in a volume, and leaves others alone; DEFAULT_FILE_MODE", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const path = join(folder, "x")
      await mkdir(path)
      await writeFile(join(path, "k"), "old")
      await writeFile(join(path, "mine"), "stays")
      put("own/a", { labels: { use: "x" }, data: { k: "new" } })
      start({ LABEL: "use", FOLDER: path, DEFAULT_FILE_MODE: "640" })
      await expect.poll(() => shown(path)).toEqual({ k: "new", mine: "stays" })
      expect((await stat(join(path, "k"))).mode & 0o777).toBe(0o440)
    })
  })
})

describe("consumers", () => {
  it("runs SCRIPT, executable or not, then calls REQ_URL, at the start and for each change", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const [path, script, log] = ["x", "script.sh", "log"].map((name) => join(folder, name))
      await writeFile(script ?? "", `cat ${path}/k >> ${log}\n`)
      const labels = { use: "x" }
      put("own/a", { labels, data: { k: "1" } })
      await withConsumer([200], async (url, calls) => {
        const env = { LABEL: "use", FOLDER: path ?? "", SCRIPT: script ?? "", REQ_URL: url }
        start({
          ...env,
          REQ_METHOD: "POST",
          REQ_PAYLOAD: '{"a": 1}',
          REQ_USERNAME: "me",
          REQ_PASSWORD: "pass",
        })
        await expect.poll(() => calls.length).toBe(1)
        expect(readFileSync(log ?? "", "utf8")).toBe("1")
        expect(calls[0]).toMatchObject({
          method: "POST",
          body: '{"a":1}',
          headers: {
            "content-type": "application/json",
            authorization: `Basic ${Buffer.from("me:pass").toString("base64")}`,
          },
        })
        await writeFile(script ?? "", `#!/bin/sh\nprintf x >> ${log}\n`)
        await chmod(script ?? "", 0o755)
        put("own/a", { labels, data: { k: "2" } })
        await expect.poll(() => calls.length).toBe(2)
        expect(readFileSync(log ?? "", "utf8")).toBe("1x")
      })
    })
  })

  it("REQ_RETRY_TOTAL, REQ_SKIP_INIT: retries what may pass, gives up after that, and can leave out the first call", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const labels = { use: "x" }
      put("own/a", { labels, data: { k: "1" } })
      const retry = { REQ_RETRY_TOTAL: "2", REQ_RETRY_BACKOFF_FACTOR: "0.01" }
      await withConsumer([503, 500, 200], async (url, calls) => {
        await start({ LABEL: "use", FOLDER: join(folder, "x"), METHOD: "LIST", REQ_URL: url, ...retry }).ended
        expect(calls.map(({ method }) => method)).toEqual(["GET", "GET", "GET"])
      })
      await withConsumer([404], async (url, calls) => {
        await start({ LABEL: "use", FOLDER: join(folder, "y"), METHOD: "LIST", REQ_URL: url, ...retry }).ended
        expect(calls).toHaveLength(1)
      })
      await withConsumer([503], async (url, calls) => {
        const path = join(folder, "z")
        const sidecar = start({ LABEL: "use", FOLDER: path, REQ_URL: url, REQ_SKIP_INIT: "true", ...retry })
        await expect.poll(() => shown(path)).toEqual({ k: "1" })
        expect(calls).toHaveLength(0)
        put("own/a", { labels, data: { k: "2" } })
        await expect
          .poll(() => sidecar.log().some(({ msg }) => msg === "the consumer could not be called"))
          .toBe(true)
        expect(calls).toHaveLength(3)
        expect(await shown(path)).toEqual({ k: "2" })
      })
    })
  })

  it("shows a Secret to every user as k8s-sidecar does, says so, and puts it into no log", async () => {
    await withSidecarSite(async ({ folder, put, start }) => {
      const path = join(folder, "x")
      put("own/s", { labels: { use: "x" }, data: { password: "hunter2" } }, "Secret")
      const sidecar = start({ LABEL: "use", FOLDER: path, RESOURCE: "secret", LOG_LEVEL: "DEBUG" })
      await expect.poll(() => shown(path)).toEqual({ password: "hunter2" })
      expect(sidecar.log().map(({ msg }) => String(msg))).toContainEqual(
        expect.stringContaining("DEFAULT_FILE_MODE=440"),
      )
      expect(JSON.stringify(sidecar.log())).not.toMatch(/hunter2|aHVudGVyM/)
    })
  })
})
