import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { approveCommit } from "@headrace/shared/reconcile/operate/approve-commit"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect, it } from "vitest"
import fixture from "../fixtures/cluster-of-format-1.json" with { type: "json" }
import { projectionYaml, untilReady, withAgent } from "../harness/with-agent.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"

/**
 * The short form of `npm run test:mixed`: today's programs on what the programs of commit c91ba4d left in a cluster
 * (write-fixture.ts made it). What those do on what today's left is in the long form: it runs them.
 */
type State = keyof typeof fixture.states

interface Left {
  repo: TestRepo
  kube: TestKube
  reconciler: Reconciler
  run(mode?: "incremental" | "full"): ReturnType<Reconciler["run"]>
  /** As it is stored. */
  record(): Promise<{ format: number; commit: string; intents: unknown[]; token: { epoch: number } }>
  data(): Promise<{ [key: string]: string }>
}

const quiet = new AbortController().signal

/** Runs `test` in a cluster as the earlier writer left it, with the branch that it followed at the commit it knew last. */
function withLeft(state: State, test: (left: Left) => Promise<void>): Promise<void> {
  return withKube((kube) =>
    withRepo(async (repo) => {
      const client = inProcessClient(kube.store)
      for (const object of fixture.states[state]) await client.create(object as unknown as ConfigMap)
      await takeBranch(repo, state)
      const settings = OperatorSettings.parse({
        version: 1,
        namespace: "headrace",
        sources: {
          release: { url: repo.folder, repo: "example/config", branch: "main", rules: "rules.yaml" },
        },
        clusters: { east: { kubeconfig: kube.kubeconfigFile } },
        guard: { atLeast: 0 },
        mirrors: join(repo.scratch, "mirrors"),
      })
      const reconciler = await openReconciler(settings, createLog("test", { level: "silent" }))
      try {
        await test({
          repo,
          kube,
          reconciler,
          run: (mode = "incremental") => reconciler.run("east", "release", mode, quiet),
          async record() {
            return JSON.parse((await client.get("headrace", "release"))?.data?.["record.json"] ?? "null")
          },
          data: async () => (await client.get("ci", "jobs"))?.data ?? {},
        })
      } finally {
        await reconciler.close()
      }
    }),
  )
}

async function takeBranch(repo: TestRepo, state: State): Promise<void> {
  const bundle = join(repo.scratch, "branch.bundle")
  writeFileSync(bundle, Buffer.from(fixture.bundle, "base64"))
  await repo.git("fetch", "--quiet", bundle, "main")
  // The bundle ends at the commit that the guard stopped.
  const back = { rest: 2, intent: 1, approved: 0 }[state]
  await repo.forcePush(await repo.git("rev-parse", `FETCH_HEAD~${back}`))
}

it("takes a record at rest for what it is: the same token, nothing of the store written again", () =>
  withLeft("rest", async ({ run, record, repo, data }) => {
    const before = await record()
    expect(before.format).toBe(1)
    expect(await run()).toMatchObject({ result: "noop", written: 0 })
    const rebuilt = await run("full")
    expect(rebuilt).toMatchObject({ stopped: null, failed: [], foreign: [] })
    expect((await record()).token).toEqual(before.token)
    await repo.commit({ "jobs/a": "next" })
    expect(await run()).toMatchObject({ result: "applied" })
    expect((await record()).format).toBe(1)
    expect((await data()).a).toBe("next")
  }))

it("ends what an earlier writer left open, and goes on to the next merge", () =>
  withLeft("intent", async ({ run, record, repo, data }) => {
    expect((await record()).intents).toHaveLength(1)
    await repo.commit({ "jobs/b": "b" })
    expect(await run()).toMatchObject({ result: "applied", stopped: null })
    expect(await record()).toMatchObject({ format: 1, intents: [] })
    expect(await data()).toMatchObject({ a: "two", b: "b" })
  }))

it("passes no approval that names no rules, and does once it is given again", () =>
  withLeft("approved", async ({ run, repo, reconciler, data }) => {
    expect(await run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    expect(Object.keys(await data())).toContain("f29")
    const ports = await reconciler.ports("east", "release")
    const operator = { ...ports, namespace: "headrace", source: "release" }
    await approveCommit(operator, await repo.tip(), quiet)
    expect(await run()).toMatchObject({ result: "applied", stopped: null })
    expect(Object.keys(await data())).not.toContain("f29")
  }))

it("is shown by today's agent as it is, and beside later writes", () =>
  withLeft("rest", async ({ run, repo, kube }) => {
    const yaml = projectionYaml(repo.scratch, "[{configMap: ci/jobs}]")
    const text = () => readFileSync(join(repo.scratch, "shown/a"), "utf8")
    await withAgent(inProcessClient(kube.store), yaml, async (agent) => {
      await untilReady(agent)
      expect(text()).toBe("one")
      await repo.commit({ "jobs/a": "next", "jobs/f0": null })
      await run()
      await expect.poll(text, { timeout: 150_000 }).toBe("next")
    })
  }))
