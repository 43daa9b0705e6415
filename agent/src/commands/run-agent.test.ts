import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runAgentProgram, withAgentProcess } from "@headrace/test/harness/with-agent-process"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withKube } from "@headrace/test/harness/with-kube"
import { commitOf, writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"

function settings(folder: string): string {
  return `projections: {jobs: {path: ${folder}/jobs, from: [{configMap: ci/jobs}]}}\n`
}

it("publishes, answers for it over HTTP, and ends by SIGTERM", async () => {
  await withFolder(async (folder) => {
    await withKube(async ({ kubeconfigFile, store }) => {
      await writeRevision(inProcessClient(store), { seq: 1, targets: { "ci/jobs": { x: "one" } } })
      await withAgentProcess({ folder, kubeconfigFile, settings: settings(folder) }, async (agent) => {
        await expect.poll(() => agent.ask("/readyz")).toEqual({ status: 200, text: "ok\n" })
        expect(await readFile(join(folder, "jobs/x"), "utf8")).toBe("one")
        expect(await agent.ask("/healthz")).toEqual({ status: 200, text: "ok\n" })
        const { text } = await agent.ask("/metrics")
        expect(text).toContain('headrace_agent_shown_seq{projection="jobs"} 1')
        // A label that names a commit would be a new series with every merge.
        expect(text).not.toContain(commitOf(1))
        expect(text).toMatch(
          /^headrace_build_info\{program="headrace-agent",version="\d[^"]*",node="\d[^"]*"\} 1$/m,
        )
        expect(text).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
        expect(text).toContain("headrace_settings_rejected 0")
        expect(text).toContain('headrace_agent_record_lag{projection="jobs"} 0')
        expect(text).toMatch(/headrace_agent_fetched_objects_total\{kind="shard"\} 1/)
        expect(text).toMatch(/headrace_agent_watch_age_seconds \d/)
        await writeRevision(inProcessClient(store), { seq: 2, targets: { "ci/jobs": { x: "two" } } })
        await expect.poll(() => readFile(join(folder, "jobs/x"), "utf8")).toBe("two")
      })
    })
  })
})

it("says why it is not ready", async () => {
  await withFolder(async (folder) => {
    await withKube(async ({ kubeconfigFile }) => {
      await withAgentProcess({ folder, kubeconfigFile, settings: settings(folder) }, async (agent) => {
        await expect
          .poll(() => agent.ask("/readyz"))
          .toEqual({
            status: 503,
            text: expect.stringMatching(
              /^there is no record headrace\/release\nprojection jobs: waits for ConfigMap ci\/jobs: the record was not read yet/,
            ),
          })
        expect((await agent.ask("/healthz")).status).toBe(200)
      })
    })
  })
})

it("loads neither queue, GitHub nor client-node, and no SDK of OpenTelemetry unless it sends traces", async () => {
  await withFolder(async (folder) => {
    await withKube(async ({ kubeconfigFile, store }) => {
      await writeRevision(inProcessClient(store), { seq: 1, targets: { "ci/jobs": { x: "one" } } })
      const modules = join(folder, "modules")
      const options = {
        folder,
        kubeconfigFile,
        settings: `confinement: {writable: [${folder}]}\n${settings(folder)}`,
        nodeArgs: ["--import", join(import.meta.dirname, "../../../test/harness/log-modules.mjs")],
        env: { HEADRACE_TEST_MODULES: modules },
        fromSource: true,
      }
      await withAgentProcess(options, async (agent) => {
        await expect.poll(async () => (await agent.ask("/readyz")).status).toBe(200)
        await agent.ask("/metrics")
      })
      const loaded = (await readFile(modules, "utf8")).split("\n")
      // The list is of this run: the agent's own modules are in it.
      expect(loaded.some((url) => url.endsWith("/agent/src/publish/publish-revision.ts"))).toBe(true)
      const heavy =
        /\/node_modules\/(bullmq|ioredis|@octokit|@kubernetes|undici|minimatch|@opentelemetry\/(?!api))\/|\/shared\/src\/(lanes|reconcile)\//
      expect(loaded.filter((url) => heavy.test(url))).toEqual([])
    })
  })
})

it("ends with 2 for settings that are wrong, naming the place", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "agent.yaml"), "version: 1\nrecord: none\n")
    const run = runAgentProgram(["--config", join(folder, "agent.yaml")])
    expect(await run.ended).toBe(2)
    expect(run.errors()).toContain("agent.yaml:2:9: error: record: expected NAMESPACE/SOURCE")
  })
})

it("ends with 2 for settings that contradict each other, and with --once as well", async () => {
  await withFolder(async (folder) => {
    await withKube(async ({ kubeconfigFile }) => {
      const yaml = `version: 1
record: headrace/release
kubeconfig: ${kubeconfigFile}
listen: 127.0.0.1:0
projections:
  one: {path: ${folder}/same, from: [{configMap: ci/jobs}]}
  two: {path: ${folder}/same, from: [{configMap: ci/jobs}]}
`
      await writeFile(join(folder, "agent.yaml"), yaml)
      for (const more of [[], ["--once"]]) {
        const run = runAgentProgram([...more, "--config", join(folder, "agent.yaml")])
        expect(await run.ended).toBe(2)
        expect(run.errors()).toContain("projections one and two both want")
      }
    })
  })
})
