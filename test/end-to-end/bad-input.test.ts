import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { programCommand } from "@headrace/config/local/child-program"
import { localOperatorSettings, OWN_NAMESPACE, SOURCE } from "@headrace/config/local/local-settings"
import { push, sendWebhook } from "@headrace/config/local/signed-webhook"
import { startLocal } from "@headrace/config/local/start-local"
import { waitUntil } from "@headrace/config/local/wait-until"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { aroundAll, describe, expect, it } from "vitest"
import { runMarked } from "../harness/run-marked.ts"
import { withKube } from "../harness/with-kube.ts"
import { type Changes, type TestRepo, withRepo } from "../harness/with-repo.ts"

const RULES = "config_updater:\n  maps:\n    good/*.yaml: {name: good}\n    bad/*: {name: bad}\n"
const GOOD = { "rules.yaml": RULES, "good/a.yaml": "a: 1", bad: null, "bad/first": "as it was" }
const UP = join(import.meta.dirname, "../../config/local/up.ts")
const SOON = { limitMs: 150_000 }
const silent = createLog("test", { level: "silent" })

interface Running {
  repo: TestRepo
  /** Commits, notifies the plugin, and returns the record once it mentions that commit. */
  merge(files: Changes): Promise<SourceRecord>
  hook: Parameters<typeof sendWebhook>[0]
  shown(path: string): string | undefined
}

/** One for all tests: to start it takes most of their time. */
let running: Running

describe("bad input", () => {
  aroundAll((runTests) =>
    withRunning(async (started) => {
      running = started
      await runTests()
    }),
  )

  it.each([
    ["malformed YAML", "config_updater:\n  maps: [\n", "rules.yaml:"],
    ["an unknown field", RULES.replace("name: good", "nam: good"), "nam"],
  ])("%s in the rules stops the source, names the place, and leaves last good in force", (_, rules, named) =>
    fromGood(async ({ merge, shown }) => {
      const record = await merge({ "rules.yaml": rules, "good/a.yaml": "a: 2" })

      expect(record.stopped?.message).toContain(named)
      expect(shown("good/a.yaml")).toBe("a: 1")
      const mended = await merge({ "rules.yaml": RULES })
      expect(mended.stopped).toBeNull()
      await waitUntil("the fixed revision", () => (shown("good/a.yaml") === "a: 2" ? true : undefined), SOON)
    }),
  )

  it.each([
    ["a key that Kubernetes refuses", { "bad/not a key": "x" }, "not a key"],
    ["a ConfigMap over 1 MiB", { "bad/large": "x".repeat(1024 * 1024 + 1) }, "1048576"],
  ])("%s fails that target by name, and the others go on", (_, files, named) =>
    fromGood(async ({ merge, shown }) => {
      const record = await merge({ ...files, "good/a.yaml": "a: 2" })

      expect(record.failed.map(({ target }) => target)).toEqual(["default/bad"])
      expect(record.failed[0]?.reason).toContain(named)
      await waitUntil("the good target", () => (shown("good/a.yaml") === "a: 2" ? true : undefined), SOON)
      expect(shown("bad/first")).toBe("as it was")
    }),
  )

  it("a webhook that is not signed by our secret, or is too large, is refused and wakes nobody", () =>
    fromGood(async ({ repo, hook, shown }) => {
      const commit = await repo.commit({ "good/a.yaml": "a: 3" })
      const body = push(hook, commit, commit)

      expect(await sendWebhook({ ...hook, secret: "another" }, "push", body)).toBe(401)
      expect(await sendWebhook(hook, "push", `${body}${" ".repeat(25 * 2 ** 20)}`).catch(() => 413)).toBe(413)
      expect(shown("good/a.yaml")).toBe("a: 1")
    }))

  it("a cluster that the operator did not list is named, and the targets of others are written", () =>
    withRepo(async (repo) => {
      const rule = "    bad/*: {name: bad, clusters: {nowhere: [default]}}\n"
      await repo.commit({
        "rules.yaml": RULES.replace(/ {4}bad.*\n/, rule),
        "good/a.yaml": "a: 1",
        "bad/x": "x",
      })
      await withKube(async (kube) => {
        const settings = join(repo.scratch, "headrace.yaml")
        const source = {
          repo: repo.folder,
          branch: repo.branch,
          rules: "rules.yaml",
          repository: "local/bad",
        }
        const files = { secret: join(repo.scratch, "secret"), mirrors: join(repo.scratch, "mirrors") }
        const kubeconfigs = new Map([["default", kube.kubeconfigFile]])
        writeFileSync(settings, localOperatorSettings({ ...source, pollSeconds: 60 }, kubeconfigs, files))
        const command = [
          ...programCommand("bootstrapper"),
          "apply",
          "--direct",
          "--config",
          settings,
          "-o",
          "json",
        ]
        const run = runMarked(command)

        expect(await run.ended, run.errors()).toBe(1)
        expect(run.output() + run.errors()).toContain("nowhere")
        const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log: silent })
        expect((await client.get("default", "good"))?.data).toMatchObject({ "a.yaml": "a: 1" })
        client.close()
      })
    }))

  it("a branch that is not there is named, and nothing is begun", () =>
    withRepo(async (repo) => {
      await repo.commit({ "rules.yaml": RULES })
      const target = mkdtempSync(join(tmpdir(), "headrace-bad-"))
      const flags = ["--repo", repo.folder, "--branch", "absent", "--rules", "rules.yaml", "--target", target]
      const run = runMarked(["--conditions=source", "--no-warnings", UP, ...flags])

      expect(await run.ended).toBe(2)
      expect(run.errors()).toContain("absent")
      expect(run.alive()).toEqual([])
      rmSync(target, { recursive: true })
    }))
})

/** Runs `use` where the branch is good, its record shows that, and its content is in force, whatever was there before. */
async function fromGood(use: (running: Running) => Promise<void>): Promise<void> {
  const { merge, shown } = running
  const { stopped, failed } = await merge(GOOD)
  expect({ stopped, failed }).toEqual({ stopped: null, failed: [] })
  await waitUntil("the good revision", () => (shown("good/a.yaml") === "a: 1" ? true : undefined), SOON)
  await use(running)
}

async function withRunning(use: (running: Running) => Promise<void>): Promise<void> {
  await withRepo(async (repo) => {
    await repo.commit(GOOD)
    const target = mkdtempSync(join(tmpdir(), "headrace-bad-"))
    const source = { repo: repo.folder, branch: repo.branch, rules: "rules.yaml", repository: "local/bad" }
    const pipeline = await startLocal({ ...source, target, pollSeconds: 600, port: 0 })
    try {
      await pipeline.waitForProjection()
      const cluster = pipeline.clusters.get("default")
      const [hook] = pipeline.hooks
      if (!cluster || !hook) throw new Error("the pipeline came up without its cluster")
      const client = await openLightClient({ kubeconfig: cluster.kubeconfigFile, log: silent })
      const recordAt = async (commit: string) => {
        const configMap = await client.get(OWN_NAMESPACE, SOURCE)
        const record = configMap && readRecord(configMap)
        return record?.commit === commit || record?.stopped?.commit === commit ? record : undefined
      }
      await use({
        repo,
        hook,
        async merge(files) {
          const commit = await repo.commit(files)
          expect(await sendWebhook(hook, "push", push(hook, commit, commit))).toBe(202)
          return waitUntil(`the record about ${commit}`, () => recordAt(commit), SOON)
        },
        shown(path) {
          const file = join(cluster.folder, "default", path)
          return existsSync(file) ? readFileSync(file, "utf8") : undefined
        },
      })
      client.close()
    } finally {
      await pipeline.close()
      rmSync(target, { recursive: true, force: true })
    }
  })
}
