import { connect } from "node:net"
import { readHoldUp } from "@headrace/shared/lanes/rollout-hold-up"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import { newRecord } from "@headrace/shared/record/record"
import type { Candidate } from "@headrace/shared/record/rollout-state"
import { until } from "@headrace/test/harness/until"
import { mergedEvent, pushEvent, type TestPlugin, withPlugin } from "@headrace/test/harness/with-plugin"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"
import type { PluginReconciler } from "./work/plugin-reconciler.ts"

const SHA = "a".repeat(40)
const OLDER = "b".repeat(40)

const CANDIDATE: Candidate = {
  ...{ commit: SHA, rulesCommit: null, rules: "", token: { epoch: 0, seq: 2 }, root: "1".repeat(64) },
  ...{ policy: "0".repeat(16), stage: 0, bound: 0, selectors: [], expected: { count: 0, nodes: null } },
  ...{ since: "2026-01-01T00:00:00Z", passed: null, view: false, hurried: false, skipped: [], word: null },
}

/** A reconciler whose cluster shows `commit` at once, and which notes what it was asked for. */
function fakeReconciler(commit = SHA) {
  const runs: string[] = []
  const fake = {
    commit,
    runs,
    tipNow: SHA,
    async run(cluster: string, source: string, mode: string): Promise<ReconcileOutcome> {
      runs.push(`${cluster}/${source}/${mode}`)
      const stages = { fetch: 1, plan: 2, store: 3, view: 4, record: 5 }
      return {
        result: "applied",
        record: { ...newRecord(source, { epoch: 0, seq: 1 }), commit: fake.commit },
        commit: fake.commit,
        token: { epoch: 0, seq: 1 },
        stopped: null,
        heldUntil: null,
        written: 2,
        failed: [],
        foreign: [],
        stages,
      }
    },
    tip: async () => fake.tipNow,
    touched: async () => [],
    isBehind: async () => fake.commit !== fake.tipNow,
    contained: async (_: string, at: string, shas: readonly string[]) =>
      new Set(shas.filter((sha) => sha === at || (at === SHA && sha === OLDER))),
  }
  return fake satisfies PluginReconciler
}

/** Waits until what start itself woke is over, so that a test counts its own. */
async function quiet(plugin: TestPlugin, runs: string[]): Promise<void> {
  await until(() => runs.length >= 2)
  await until(async () => {
    const counts = await plugin.lanes.queue("build01").getJobCounts("wait", "active")
    return Object.values(counts).every((count) => count === 0)
  })
  runs.length = 0
}

function deliveryOutcome(plugin: TestPlugin, guid: string, source = "release"): Promise<string | null> {
  return plugin.lanes.redis.hget(plugin.lanes.key("delivery", guid), `outcome/build01/${source}`)
}

describe("the plugin", () => {
  it("wakes every lane once at its start", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler, clusters: ["build01", "build02"] }, () =>
        until(() => reconciler.runs.length === 4),
      )
      expect(reconciler.runs.sort()).toEqual([
        "build01/release/incremental",
        "build01/tools/incremental",
        "build02/release/incremental",
        "build02/tools/incremental",
      ])
    }))

  it("turns a push and a merge into wake-ups of all that follow the branch, and answers the delivery", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        const push = await plugin.deliver("push", pushEvent(SHA), { guid: "push-1" })
        expect(push).toMatchObject({ status: 202 })
        expect(JSON.parse(push.body)).toMatchObject({ result: "accepted", sources: ["release", "tools"] })
        await until(() => reconciler.runs.length === 2)

        const merged = await plugin.deliver("pull_request", mergedEvent(OLDER), { guid: "merge-1" })
        expect(merged.status).toBe(202)
        await until(async () => (await deliveryOutcome(plugin, "merge-1")) !== null)
        expect(JSON.parse((await deliveryOutcome(plugin, "push-1")) ?? "")).toMatchObject({
          state: "written",
        })
        expect(await plugin.metric('headrace_webhook_deliveries_total{event="push",result="accepted"}')).toBe(
          1,
        )
        expect(
          await plugin.metric(
            'headrace_reconciles_total{cluster="build01",source="release",result="applied"}',
          ),
        ).toBe(3)
        expect(await plugin.metric('headrace_configmap_writes_total{cluster="build01"}')).toBeGreaterThan(0)
      })
    }))

  it("leaves a delivery waiting whose commit the cluster does not show yet", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler(OLDER)
      await withPlugin({ redis: url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        await plugin.deliver("push", pushEvent(SHA), { guid: "early" })
        await until(() => reconciler.runs.length === 2)
        await until(async () => (await plugin.lanes.queue("build01").getActiveCount()) === 0)
        expect(await deliveryOutcome(plugin, "early")).toBeNull()

        reconciler.commit = SHA
        await plugin.deliver("push", pushEvent(SHA), { guid: "late" })
        await until(async () => (await deliveryOutcome(plugin, "early")) !== null)
      })
    }))

  it("keeps what the last look at a rollout waits for, for status", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      const red = "http://probe/healthz: answered 503 (before the rollout begins)"
      async function run(cluster: string, source: string, mode: string): Promise<ReconcileOutcome> {
        const outcome = await reconciler.run(cluster, source, mode)
        return {
          ...outcome,
          record: { ...outcome.record, candidate: CANDIDATE },
          rollout: { holdUp: [red], lookAgain: 1000, wakes: [] },
        }
      }
      await withPlugin({ redis: url, reconciler: { ...reconciler, run } }, ({ lanes }) =>
        until(async () => (await readHoldUp(lanes, "build01", "release")).includes(red)),
      )
    }))

  it("takes a delivery once, however often it comes", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        expect((await plugin.deliver("push", pushEvent(SHA), { guid: "twice" })).status).toBe(202)
        const again = await plugin.deliver("push", pushEvent(SHA), { guid: "twice" })
        expect(again.status).toBe(200)
        expect(JSON.parse(again.body)).toMatchObject({ result: "duplicate" })
      })
    }))

  it.each([
    ["ping", {}, "ping"],
    ["issues", { action: "opened" }, "ignored"],
    ["push", pushEvent(SHA, "feature"), "ignored"],
    ["push", { ...(pushEvent("0".repeat(40)) as object), deleted: true }, "ignored"],
    ["push", { ...(pushEvent(SHA) as object), ref: "refs/tags/v1" }, "ignored"],
    ["push", pushEvent(SHA, "main", "somebody/else"), "unconfigured"],
    ["pull_request", { ...(mergedEvent(SHA) as object), action: "opened" }, "ignored"],
  ])("answers %s %j with %s and wakes nobody", (event, payload, result) =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        const answer = await plugin.deliver(event, payload)
        expect(answer.status).toBe(200)
        expect(JSON.parse(answer.body)).toMatchObject({ result })
        expect(
          await plugin.metric(`headrace_webhook_deliveries_total{event="${event}",result="${result}"}`),
        ).toBe(1)
        expect(await plugin.lanes.queue("build01").getJobCounts("wait", "active")).toEqual({
          wait: 0,
          active: 0,
        })
      })
    }),
  )

  it.each([
    ["a wrong signature", 401, { secret: "another" }],
    ["a form", 415, { headers: { "content-type": "application/x-www-form-urlencoded" } }],
    ["no signature", 400, { headers: { "x-hub-signature-256": "" } }],
    ["no delivery id", 400, { headers: { "x-github-delivery": "" } }],
  ])("refuses %s", (_, status, options) =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        const answer = await plugin.deliver("push", pushEvent(SHA), options)
        expect(answer.status).toBe(status)
        if (status === 415) expect(answer.body).toContain("application/json on GitHub")
        expect(reconciler.runs).toEqual([])
      })
    }),
  )

  it("refuses a body beyond 25 MB before it has come, said or not", () =>
    withRedis(async ({ url }) => {
      await withPlugin({ redis: url, reconciler: fakeReconciler() }, async (plugin) => {
        expect(await rawStatus(plugin.url, "content-length: 30000000", 1)).toBe(413)
        expect(await rawStatus(plugin.url, "transfer-encoding: chunked", 30)).toBe(413)
      })
    }))

  it("answers 503 within a second while Redis is away or hangs, and says it is not ready", () =>
    withRedis(async (redis) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: redis.url, reconciler }, async (plugin) => {
        await quiet(plugin, reconciler.runs)
        process.kill(redis.pid(), "SIGSTOP")
        const hung = await plugin.deliver("push", pushEvent(SHA), { guid: "hung" }).finally(() => {
          process.kill(redis.pid(), "SIGCONT")
        })
        expect(hung.status).toBe(503)

        await redis.kill()
        await until(() => plugin.lanes.trouble() !== undefined)
        const away = await plugin.deliver("push", pushEvent(SHA), { guid: "away" })
        expect(away.status).toBe(503)
        expect((await fetch(`${plugin.url}/readyz`)).status).toBe(503)
        expect((await fetch(`${plugin.url}/healthz`)).status).toBe(200)

        await redis.restart()
        await until(async () => (await fetch(`${plugin.url}/readyz`)).status === 200)
        reconciler.runs.length = 0
        expect((await plugin.deliver("push", pushEvent(SHA), { guid: "away" })).status).toBe(202)
        await until(async () => (await deliveryOutcome(plugin, "away")) !== null)
      })
    }))

  it("wakes lanes when a poll sees the branch move, and the sources whose rules it holds", () =>
    withRedis(async ({ url }) => {
      const reconciler = fakeReconciler()
      await withPlugin({ redis: url, reconciler, poll: "50ms" }, async (plugin) => {
        const polled = (source: string, result: string) =>
          plugin.metric(`headrace_polls_total{source="${source}",result="${result}"}`)
        await until(async () => (await polled("release", "moved")) + (await polled("tools", "moved")) === 2)
        await quiet(plugin, reconciler.runs)
        const before = await polled("release", "same")
        await until(async () => (await polled("release", "same")) > before + 1)
        expect(reconciler.runs).toEqual([])

        reconciler.tipNow = OLDER
        await until(() => new Set(reconciler.runs).size === 2)
      })
    }))
})

/** Sends a body of `megabytes` with this length header until an answer comes; gives its status. */
function rawStatus(url: string, lengthHeader: string, megabytes: number): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ""
    socket.on("data", (chunk) => {
      answer += chunk.toString()
      const status = /^HTTP\/1.1 (\d{3})/.exec(answer)?.[1]
      if (status === undefined) return
      resolve(Number(status))
      socket.destroy()
    })
    socket.on("error", reject)
    const headers = [
      "POST /hook HTTP/1.1",
      `host: ${hostname}`,
      "content-type: application/json",
      "x-github-event: push",
      "x-github-delivery: big",
      `x-hub-signature-256: sha256=${"0".repeat(64)}`,
      lengthHeader,
    ]
    socket.write(`${headers.join("\r\n")}\r\n\r\n`)
    const megabyte = "x".repeat(2 ** 20)
    const piece = lengthHeader.startsWith("transfer") ? `100000\r\n${megabyte}\r\n` : megabyte
    for (let sent = 0; sent < megabytes; sent++) socket.write(piece, () => undefined)
  })
}
