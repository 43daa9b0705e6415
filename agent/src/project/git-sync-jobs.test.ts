import { chmod, readFile, readlink, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runAgentProgram } from "@headrace/test/harness/with-agent-process"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"

interface Job {
  /** Runs a real agent with --once on the repository; gives its exit code and what it complained of. */
  once(timeout?: string): Promise<{ code: number | null; errors: string }>
  /** The commit that the link names. */
  shown(): Promise<string | undefined>
  /** What the exec hook received, a revision a line. */
  told(): Promise<string[]>
  root: string
}

async function withJob(test: (job: Job, repo: TestRepo) => Promise<void>): Promise<void> {
  await withRepo(async (repo) => {
    const root = join(repo.scratch, "root")
    const calls = join(repo.scratch, "calls")
    const hook = join(repo.scratch, "hook")
    await writeFile(hook, `#!/bin/sh\necho $HEADRACE_REVISION >> ${calls}\n`)
    await chmod(hook, 0o755)
    const kubeconfig = join(repo.scratch, "kubeconfig")
    // A git source asks nothing of a cluster; the agent only has to know one.
    await writeFile(
      kubeconfig,
      JSON.stringify({
        "current-context": "none",
        clusters: [{ name: "none", cluster: { server: "http://127.0.0.1:1" } }],
        users: [{ name: "none", user: {} }],
        contexts: [{ name: "none", context: { cluster: "none", user: "none" } }],
      }),
    )
    const config = join(repo.scratch, "agent.yaml")
    await writeFile(
      config,
      `version: 1
kubeconfig: ${kubeconfig}
mirrors: ${repo.scratch}/mirrors
projections:
  tree:
    path: ${root}
    link: current
    from: [{git: {url: ${repo.folder}, branch: main, poll: 50ms}}]
    notify: [{exec: [${hook}]}]
`,
    )
    const job: Job = {
      root,
      async once(timeout = "20s") {
        const run = runAgentProgram([
          "--config",
          config,
          "--once",
          "--timeout",
          timeout,
          "--log-level",
          "silent",
        ])
        return { code: await run.ended, errors: run.errors() }
      },
      shown: async () =>
        (await readlink(join(root, "current")).catch(() => "")).split("/").at(-1) || undefined,
      told: async () => (await readFile(calls, "utf8").catch(() => "")).split("\n").filter(Boolean),
    }
    await test(job, repo)
  })
}

describe("git-sync's e2e tests", () => {
  it("head_once, exechook_startup_after_crash: shows the tip and ends; a hook is called at each start", async () => {
    await withJob(async ({ once, shown, told, root }, repo) => {
      const first = await repo.commit({ file: "one" })
      expect(await once()).toEqual({ code: 0, errors: "" })
      expect([await shown(), await readFile(join(root, "current/file"), "utf8")]).toEqual([first, "one"])
      expect(await once()).toEqual({ code: 0, errors: "" })
      expect(await told()).toEqual([first, first])
    })
  })

  it("worktree_unexpected_removal: shows the tip again after its files were removed", async () => {
    await withJob(async ({ once, shown, root }, repo) => {
      const tip = await repo.commit({ file: "one" })
      await once()
      await rm(join(root, await readlink(join(root, "current"))), { recursive: true })
      expect(await once()).toEqual({ code: 0, errors: "" })
      expect([await shown(), await readFile(join(root, "current/file"), "utf8")]).toEqual([tip, "one"])
    })
  })

  it("sync_repo_unavailable, init_max_failures_exceeded: fails and says why, and keeps what is shown", async () => {
    await withJob(async ({ once, shown, root }, repo) => {
      const tip = await repo.commit({ file: "one" })
      expect((await once()).code).toBe(0)
      await repo.git("branch", "-m", "main", "elsewhere")
      const failed = await once("2s")
      expect(failed.code).toBe(1)
      expect(failed.errors).toMatch(/waits for git main .*has no branch main/)
      expect([await shown(), await readFile(join(root, "current/file"), "utf8")]).toEqual([tip, "one"])
    })
  })
})
