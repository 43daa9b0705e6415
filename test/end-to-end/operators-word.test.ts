import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { describe, expect, it } from "vitest"
import { FakeBranch } from "../harness/fake-reconciler.ts"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { until } from "../harness/until.ts"
import { type Operator, withOperator } from "../harness/with-operator.ts"
import { withPlugin } from "../harness/with-plugin.ts"
import { withPluginProcess } from "../harness/with-plugin-process.ts"
import { type TestRedis, withRedis } from "../harness/with-redis.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n"

const LIMIT_MS = 150_000

interface Scene extends Operator {
  redis: TestRedis
  /** Takes the source out of the settings. */
  followNothing(): Promise<void>
  /** The plugin's metrics as text. */
  metrics(): Promise<string>
  /** The reasons of the Events about the record, each once. */
  events(): Promise<string[]>
  /** What the named ConfigMap has for jobs/a.yaml. */
  shown(): Promise<string | undefined>
  /** Runs a command and gives what it printed of `east` with its exit code, as JSON. */
  say(...args: string[]): Promise<{ code: number; stderr: string; [member: string]: unknown }>
}

/** A real plugin that nothing wakes: no webhook comes, and its polls are an hour apart. */
function withSleepingPlugin(test: (scene: Scene) => Promise<void>, { plugin = true } = {}): Promise<void> {
  return withRedis((redis) =>
    withOperator(async (operator) => {
      const { repo, kube, config } = operator
      const secret = join(repo.scratch, "hmac")
      await writeFile(secret, "of the tests")
      const release = {
        url: repo.folder,
        branch: repo.branch,
        rules: "rules.yaml",
        poll: "1h",
        gates: { files: [{ glob: "jobs/*", parse: "yaml" }] },
      }
      const followOnly = (sources: object) =>
        operator.writeConfig({
          sources,
          redis: { url: redis.url },
          webhook: { secretFiles: [secret] },
        })
      await followOnly({ release })
      const scene: Scene = {
        ...operator,
        redis,
        followNothing: () => followOnly({}),
        metrics: async () => "",
        async events() {
          const headers = { authorization: `Bearer ${kube.token}` }
          const answer = await fetch(`${kube.url}/api/v1/namespaces/headrace/events`, { headers })
          const { items } = (await answer.json()) as { items: { reason: string; involvedObject: object }[] }
          const ofRecord = items.filter(
            ({ involvedObject }) => (involvedObject as { name: string }).name === "release",
          )
          return [...new Set(ofRecord.map(({ reason }) => reason))].sort()
        },
        async shown() {
          const headers = { authorization: `Bearer ${kube.token}` }
          const answer = await fetch(`${kube.url}/api/v1/namespaces/ci/configmaps/jobs`, { headers })
          return ((await answer.json()) as { data?: Record<string, string> }).data?.["a.yaml"]
        },
        async say(...args) {
          const run = await runBootstrapper([...args, "--config", config, "-o", "json"])
          const [place] = JSON.parse(run.stdout || "[{}]")
          return { ...place, code: run.code, stderr: run.stderr }
        },
      }
      await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "1" })
      if (!plugin) return test(scene)
      await withPluginProcess(config, async ({ metrics }) => {
        await until(async () => (await scene.shown()) === "1", LIMIT_MS)
        await test({ ...scene, metrics })
      })
    }),
  )
}

describe("an operator's word", () => {
  it("acts without a webhook, a poll or another command", () =>
    withSleepingPlugin(async ({ repo, run, say, shown, metrics, events }) => {
      const place = 'cluster="east",source="release"'
      const untilMetrics = (text: string) => until(async () => (await metrics()).includes(text), LIMIT_MS)
      const first = await repo.tip()
      expect(await say("hold", "--reason", "x", "--wait")).toMatchObject({
        code: 0,
        effect: "noop",
        commit: first,
      })
      await untilMetrics(`headrace_held{${place}} 1\n`)
      const second = await repo.commit({ "jobs/a.yaml": "2" })
      expect(await say("release", "--wait")).toMatchObject({ code: 0, effect: "applied", commit: second })
      expect(await shown()).toBe("2")

      const end = await say("rewind", "--to", first, "--reason", "x", "--until", "6s", "--wait")
      expect(end).toMatchObject({ code: 0, effect: "applied", commit: first })
      expect(await shown()).toBe("1")
      // Nobody says anything more: the end of the hold is enough.
      await until(async () => (await shown()) === "2", LIMIT_MS)

      const emptied = await repo.commit({ "jobs/a.yaml": null, "jobs/b.yaml": "b" })
      expect((await say("apply")).error).toMatchObject({ code: expect.stringMatching(/^guard\//) })
      await untilMetrics(`headrace_stopped{${place},code="guard/`)
      await untilMetrics(`headrace_held{${place}} 0\n`)
      expect(await say("approve", "--commit", emptied)).toMatchObject({ code: 0, effect: "woken" })
      await until(async () => (await shown()) === undefined, LIMIT_MS)
      await until(async () => !(await metrics()).includes("headrace_stopped{"), LIMIT_MS)

      const broken = await repo.commit({ "jobs/a.yaml": "a: [" })
      const refused = await say("apply")
      expect(refused.error).toMatchObject({
        code: "gate/not-parsed",
        message: expect.stringMatching(/^jobs\/a\.yaml:\d+:\d+: .*\(gate parse: yaml, of jobs\/\*\)$/),
      })
      expect((await run("status", "-o", "json")).stdout).toMatch(/approve --gate --commit/)
      expect(await say("approve", "--gate", "--commit", broken)).toMatchObject({ code: 0, effect: "woken" })
      await until(async () => (await shown()) === "a: [", LIMIT_MS)
      const reasons = [
        "Approved",
        "Held",
        "Published",
        "Released",
        "Returned",
        "Rewound",
        "StoppedByGate",
        "StoppedByGuard",
      ]
      await expect.poll(events, { timeout: LIMIT_MS }).toEqual(reasons)
    }))

  it("takes a ConfigMap over and gives all of them back, beside a plugin that works", () =>
    withSleepingPlugin(async ({ repo, kube, say, followNothing, metrics }) => {
      const client = inProcessClient(kube.store)
      await client.create({ metadata: { namespace: "ci", name: "web" }, data: { old: "1" } })
      const web = "    'web/*': {name: web, clusters: {east: [ci]}}\n"
      await repo.commit({ "rules.yaml": RULES + web, "web/x": "1" })
      expect(await say("apply")).toMatchObject({ code: 1, failed: [{ target: "ci/web" }] })
      expect(await say("adopt", "--target", "ci/web", "--wait")).toMatchObject({
        ...{ code: 0, adopted: ["ci/web"], effect: "applied", failed: [] },
      })
      expect(await client.get("ci", "web")).toMatchObject({ data: { x: "1" } })

      await followNothing()
      const isFollowed = async () => (await metrics().catch(() => "release")).includes("release")
      await until(async () => !(await isFollowed()), LIMIT_MS)
      const detached = await say("detach", "--source", "release")
      expect(detached).toMatchObject({ code: 0, detached: ["ci/jobs", "ci/web"] })
      expect(await client.get("headrace", "release")).toBeUndefined()
      for (const name of ["jobs", "web"]) {
        const { metadata, data } = (await client.get("ci", name)) ?? {}
        expect(JSON.stringify(metadata)).not.toContain("headrace.dev/")
        expect(Object.keys(data ?? {}).length).toBeGreaterThan(0)
      }
    }))

  it("acts while git is away, where it needs nothing from it", () =>
    withSleepingPlugin(async ({ repo, say }) => {
      const first = await repo.tip()
      await rename(repo.folder, `${repo.folder}.away`)
      expect(await say("hold", "--reason", "x", "--wait")).toMatchObject({
        code: 0,
        hold: { commit: first },
        commit: first,
        stderr: expect.stringContaining("could not be fetched"),
      })
      const released = await say("release", "--wait")
      expect(released).toMatchObject({ code: 1, hold: null, effect: "failed" })
      expect(released.error).toMatchObject({ code: expect.stringMatching(/^git\//) })
      await rename(`${repo.folder}.away`, repo.folder)
    }))

  it("is done directly while Redis is away, and says so", () =>
    withSleepingPlugin(
      async ({ redis, repo, run, say, shown }) => {
        expect((await run("apply", "--direct")).code).toBe(0)
        await redis.kill()
        await say("hold", "--reason", "x")
        const second = await repo.commit({ "jobs/a.yaml": "2" })
        const released = await say("release")
        expect(released).toMatchObject({ code: 0, effect: "applied", commit: second })
        expect(released.stderr).toContain("does not answer")
        expect(released.stderr).toContain("done here, without the lanes")
        expect(await shown()).toBe("2")
      },
      { plugin: false },
    ))
})

describe("a poll", () => {
  it("wakes a lane whose record is not at its goal, though the branch has not moved", () =>
    withRedis(async ({ url }) => {
      const branch = new FakeBranch()
      await withPlugin({ redis: url, reconciler: branch, poll: "1s" }, async (plugin) => {
        const same = () => plugin.metric('headrace_polls_total{source="release",result="same"}')
        await until(async () => (await same()) > 0)
        branch.shown.set("build01/release", 0)
        await until(() => branch.shown.get("build01/release") === branch.tipNumber)
      })
    }))
})
