import { existsSync, readFileSync } from "node:fs"
import { chmod, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { gitSyncOnce, withGitSync } from "../harness/run-git-sync.ts"
import { withGitSyncSite } from "./git-sync-site.ts"
import { withScriptedAnswer } from "./scripted-answer.ts"

/** A program that writes its working folder's `file` and GITSYNC_HASH to a log, then runs `then`. */
async function hookProgram(folder: string, then = ""): Promise<{ command: string; runs(): string[] }> {
  const [command, log] = [join(folder, "hook.sh"), join(folder, "hook.log")]
  await writeFile(command, `#!/bin/sh\necho "$(cat file) $GITSYNC_HASH" >> ${log}\n${then}\n`)
  await chmod(command, 0o755)
  return {
    command,
    runs: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  }
}

interface Call {
  method: string | undefined
  hash: string | undefined
}

/** A server that answers each call with the next of `statuses`, the last one for ever. */
async function withWebhook(
  statuses: number[],
  fn: (url: string, calls: Call[]) => Promise<void>,
): Promise<void> {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    calls.push({ method: request.method, hash: String(request.headers["gitsync-hash"]) })
    const status = statuses[Math.min(calls.length, statuses.length) - 1] ?? 200
    response.writeHead(status, { location: "elsewhere" }).end("body")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await fn(`http://127.0.0.1:${(server.address() as AddressInfo).port}/-/reload`, calls)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe("--exechook-command", () => {
  it("exechook_success: runs in the synced folder for each commit, with GITSYNC_HASH, and can write there", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const hook = await hookProgram(repo.scratch, "cp file made")
      const first = await repo.tip()
      await withGitSync([...flags, `--exechook-command=${hook.command}`], async () => {
        await expect.poll(hook.runs).toEqual([`1 ${first}`])
        await expect.poll(() => existsSync(join(root, "link/made"))).toBe(true)
        const second = await repo.commit({ file: "2" })
        await expect.poll(hook.runs).toEqual([`1 ${first}`, `2 ${second}`])
      })
    })
  })

  it("exechook_fail_retry: runs again after its backoff, until it succeeds", async () => {
    await withGitSyncSite(async ({ repo, flags }) => {
      const hook = await hookProgram(repo.scratch, `[ $(wc -l < ${repo.scratch}/hook.log) -ge 2 ]`)
      const more = [`--exechook-command=${hook.command}`, "--exechook-backoff=1s"]
      await withGitSync([...flags, ...more], async (sync) => {
        await expect.poll(() => hook.runs().length).toBe(2)
        expect(sync.log()).toContainEqual(expect.objectContaining({ msg: "a hook failed and runs again" }))
      })
    })
  })

  it("exechook_success_once, exechook_fail_once, exechook_startup_after_crash: --one-time runs it once in any case, and fails with it", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      const hook = await hookProgram(repo.scratch)
      await gitSyncOnce(flags)
      await gitSyncOnce([...flags, `--exechook-command=${hook.command}`])
      expect(hook.runs()).toHaveLength(1)
      await hookProgram(repo.scratch, "exit 1")
      await rm(join(repo.scratch, "hook.log"))
      await repo.commit({ file: "2" })
      await expect(gitSyncOnce([...flags, `--exechook-command=${hook.command}`])).rejects.toMatchObject({
        code: "git-sync/hook-failed",
      })
      expect(hook.runs()).toHaveLength(1)
      expect(file()).toBe("2")
    })
  })
})

describe("--pre-publish-exechook-command", () => {
  it("pre_publish_exechook_success, pre_publish_exechook_success_once: ends before the link moves", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      const shown = `cat ${root}/link/file >> ${repo.scratch}/shown 2>/dev/null || echo none >> ${repo.scratch}/shown`
      const hook = await hookProgram(repo.scratch, shown)
      const before = `--pre-publish-exechook-command=${hook.command}`
      const first = await repo.tip()
      await gitSyncOnce([...flags, before])
      const second = await repo.commit({ file: "2" })
      await withGitSync([...flags, before], async () => {
        await expect.poll(file).toBe("2")
      })
      expect(hook.runs()).toEqual([`1 ${first}`, `2 ${second}`])
      expect(readFileSync(join(repo.scratch, "shown"), "utf8")).toBe("none\n1")
    })
  })

  it("pre_publish_exechook_fail_retry, pre_publish_exechook_fail_once, pre_publish_exechook_startup_after_crash: a failure holds nothing back, and is retried", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      const hook = await hookProgram(repo.scratch, "exit 1")
      const before = [`--pre-publish-exechook-command=${hook.command}`, "--pre-publish-exechook-backoff=1s"]
      await expect(gitSyncOnce([...flags, ...before])).rejects.toMatchObject({ code: "git-sync/hook-failed" })
      expect(file()).toBe("1")
      expect(hook.runs()).toHaveLength(1)
      // Shown already: nothing is about to be published.
      await gitSyncOnce([...flags, ...before])
      expect(hook.runs()).toHaveLength(1)
      await repo.commit({ file: "2" })
      await withGitSync([...flags, ...before], async () => {
        await expect.poll(file).toBe("2")
        await expect.poll(() => hook.runs().length).toBeGreaterThanOrEqual(3)
      })
      expect(hook.runs().at(-1)).toBe(`2 ${await repo.tip()}`)
    })
  })
})

describe("--webhook-url", () => {
  it("webhook_success, webhook_success_once: is called for each commit, with its header", async () => {
    await withGitSyncSite(async ({ repo, flags }) => {
      await withWebhook([200], async (url, calls) => {
        const first = await repo.tip()
        await gitSyncOnce([...flags, `--webhook-url=${url}`])
        expect(calls).toEqual([{ method: "POST", hash: first }])
        await withGitSync([...flags, `--webhook-url=${url}`, "--webhook-method=PUT"], async () => {
          await expect.poll(() => calls.length).toBe(2)
          const second = await repo.commit({ file: "2" })
          await expect.poll(() => calls.at(-1)).toEqual({ method: "PUT", hash: second })
        })
      })
    })
  })

  it("webhook_fail_retry, webhook_fail_retry_once: is called again until the status is the one that counts", async () => {
    await withGitSyncSite(async ({ flags }) => {
      await withWebhook([500, 204, 200], async (url, calls) => {
        await withGitSync([...flags, `--webhook-url=${url}`, "--webhook-backoff=1s"], async () => {
          await expect.poll(() => calls.length).toBe(3)
        })
      })
      await withWebhook([500], async (url, calls) => {
        await expect(gitSyncOnce([...flags, `--webhook-url=${url}`])).rejects.toMatchObject({
          code: "git-sync/hook-failed",
        })
        expect(calls).toHaveLength(1)
      })
    })
  })

  it("follows redirects as git-sync does: 307 with its method, 301 with GET", async () => {
    await withGitSyncSite(async ({ repo, flags }) => {
      await withWebhook([307, 301, 200], async (url, calls) => {
        await gitSyncOnce([...flags, `--webhook-url=${url}`])
        const hash = await repo.tip()
        expect(calls).toEqual(["POST", "POST", "GET"].map((method) => ({ method, hash })))
      })
    })
  })

  it("takes the answer of a script, whose lines end by LF alone", async () => {
    await withGitSyncSite(async ({ flags }) => {
      await withScriptedAnswer("HTTP/1.1 200 OK\n\n", async (url) => {
        await gitSyncOnce([...flags, `--webhook-url=${url}`])
      })
    })
  })

  it("webhook_fire_and_forget: with status 0 any answer counts", async () => {
    await withGitSyncSite(async ({ flags }) => {
      await withWebhook([404], async (url, calls) => {
        await gitSyncOnce([...flags, `--webhook-url=${url}`, "--webhook-success-status=0"])
        expect(calls).toHaveLength(1)
      })
    })
  })
})
