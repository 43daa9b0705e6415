import { existsSync, readFileSync } from "node:fs"
import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gitSync } from "@headrace/agent/git-sync/git-sync"
import { describe, expect, it } from "vitest"
import { gitSyncOnce, withGitSync } from "../harness/run-git-sync.ts"
import { GIT_SYNC_BEHAVIOURS, NOT_HERE } from "./git-sync-behaviours.ts"
import { withGitSyncSite } from "./git-sync-site.ts"

/** A git that does `before` at each fetch. */
async function gitWith(folder: string, before: string): Promise<string> {
  const program = join(folder, "git-with")
  await writeFile(program, `#!/bin/sh\nif [ "$1" = fetch ]; then ${before}; fi\nexec git "$@"\n`)
  await chmod(program, 0o755)
  return program
}

describe("the loop", () => {
  it("error_slow_git_short_timeout, sync_slow_git_long_timeout: one sync takes --sync-timeout at most", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      const slow = `--git=${await gitWith(repo.scratch, "sleep 1")}`
      const short = gitSyncOnce([...flags, slow, "--max-failures=0", "--sync-timeout=300ms"])
      await expect(short).rejects.toMatchObject({ cause: { code: "git/timeout" } })
      expect(existsSync(join(root, "link"))).toBe(false)
      await gitSyncOnce([...flags, slow, "--sync-timeout=60s"])
      expect(file()).toBe("1")
    })
  })

  it("sync_on_signal_sighup, sync_on_signal_hup, sync_on_signal_1: a signal ends the wait", async () => {
    for (const name of ["SIGHUP", "HUP", "1"]) {
      await withGitSyncSite(async ({ repo, flags, file }) => {
        await withGitSync([...flags, "--period=100s", `--sync-on-signal=${name}`], async () => {
          await expect.poll(file).toBe("1")
          await repo.commit({ file: "2" })
          process.kill(process.pid, "SIGHUP")
          await expect.poll(file).toBe("2")
        })
      })
    }
  })

  it("init_period_faster_initial_sync, init_max_failures_exceeded: other limits hold until the first success", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      const away = `${repo.folder}.away`
      const late = [...flags, "--period=100s", "--init-period=50ms"]
      await repo.git("clone", "--quiet", "--bare", repo.folder, away)
      await rm(repo.folder, { recursive: true })
      await withGitSync(late, async (sync) => {
        await expect
          .poll(() => sync.log().filter(({ msg }) => msg === "the sync failed").length)
          .toBeGreaterThan(2)
        await mkdir(repo.folder)
        await repo.git("clone", "--quiet", away, repo.folder)
        await expect.poll(file).toBe("1")
      })
      await rm(repo.folder, { recursive: true })
      await rm(join(repo.scratch, "root"), { recursive: true })
      const few = gitSyncOnce([...flags, "--init-max-failures=3", "--init-period=10ms"])
      await expect(few).rejects.toThrow("3 syncs failed one after another")
    })
  })

  it("export_error, export_error_abs_path: the last error is in --error-file, which a success removes", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      for (const [name, file] of [
        ["error.json", join(root, "error.json")],
        [join(repo.scratch, "errors/last"), join(repo.scratch, "errors/last")],
      ] as const) {
        const failing = gitSyncOnce([...flags, "--max-failures=0", "--ref=nowhere", `--error-file=${name}`])
        await expect(failing).rejects.toThrow("failed")
        expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
          Msg: "too many failures, aborting",
          Err: expect.stringContaining("couldn't find remote ref"),
          Args: { failCount: 1, maxFailures: 0 },
        })
        expect((await stat(file)).mode & 0o777).toBe(0o644)
        await gitSyncOnce([...flags, `--error-file=${name}`])
        expect(existsSync(file)).toBe(false)
      }
    })
  })

  it("--error-file holds why it could not start, too", async () => {
    await withGitSyncSite(async ({ root, flags }) => {
      const lastError = () => JSON.parse(readFileSync(join(root, "error.json"), "utf8"))
      const wrong = [...flags, "--error-file=error.json", "--depth=-1"]
      await expect(gitSync(wrong, AbortSignal.timeout(10_000))).rejects.toThrow("--depth")
      expect(lastError()).toMatchObject({ Err: expect.stringContaining("--depth must be at least 0") })
      const busy = gitSyncOnce([...flags, "--error-file=error.json", "--http-bind=nonsense"])
      await expect(busy).rejects.toThrow()
      expect(lastError()).toMatchObject({ Msg: "can't bind HTTP endpoint", Args: { endpoint: "nonsense" } })
    })
  })

  it("touch_file, touch_file_abs_path: is touched at the start and for each new commit, and not in between", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      for (const [name, file] of [
        ["touch.file", join(root, "touch.file")],
        [join(repo.scratch, "deep/touch"), join(repo.scratch, "deep/touch")],
      ] as const) {
        await withGitSync([...flags, `--touch-file=${name}`], async (sync) => {
          await expect.poll(() => existsSync(file)).toBe(true)
          await rm(file)
          const fetches = () => sync.log().length
          const before = fetches()
          await repo.git("gc", "--quiet")
          await expect.poll(() => existsSync(file), { timeout: 400 }).toBe(false)
          expect(fetches()).toBe(before)
          await repo.commit({ file: `${name} more` })
          await expect.poll(() => existsSync(file)).toBe(true)
        })
      }
    })
  })

  it("expose_http, expose_http_after_restart: 503 until the first sync, then 200; git-sync's metrics by name", async () => {
    await withGitSyncSite(async ({ repo, flags }) => {
      const gate = join(repo.scratch, "gate")
      const slow = `--git=${await gitWith(repo.scratch, `until [ -e ${gate} ]; do sleep 0.05; done`)}`
      const bind = ["--http-bind=127.0.0.1:0", "--http-metrics", "--http-pprof"]
      await withGitSync([...flags, slow, ...bind], async (sync) => {
        const started = () => sync.log().find(({ msg }) => msg === "git-sync started")
        await expect.poll(started).toBeDefined()
        const url = String(started()?.url)
        const status = async (path: string) => (await fetch(url + path)).status
        expect(await status("/")).toBe(503)
        await writeFile(gate, "")
        await expect.poll(() => status("/")).toBe(200)
        expect(await status("/debug/pprof/")).toBe(404)
        const text = await (await fetch(`${url}/metrics`)).text()
        expect(text).toMatch(/^git_sync_count_total\{status="success"\} 1$/m)
        expect(text).toMatch(/^git_fetch_count_total 1$/m)
        expect(text).toMatch(/^git_sync_duration_seconds_count\{status="success"\} 1$/m)
      })
      await withGitSync([...flags, "--http-bind=127.0.0.1:0"], async (sync) => {
        const started = () => sync.log().find(({ msg }) => msg === "git-sync started")
        await expect.poll(started).toBeDefined()
        await expect.poll(async () => (await fetch(`${started()?.url}/`)).status).toBe(200)
        expect((await fetch(`${started()?.url}/metrics`)).status).toBe(200)
        expect(await (await fetch(`${started()?.url}/metrics`)).text()).toBe("")
      })
    })
  })

  it("gc_default, gc_auto, gc_always, gc_aggressive, gc_off: git collects as --git-gc has it, and never what is needed", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      for (const [step, gc] of ["", "auto", "always", "aggressive", "off"].entries()) {
        await repo.commit({ file: `gc ${step}` })
        const sync = await gitSyncOnce([...flags, ...(gc === "" ? [] : [`--git-gc=${gc}`])])
        expect(file()).toBe(`gc ${step}`)
        expect(sync.log().filter(({ level }) => level === "warn")).toEqual([])
        expect(existsSync(join(root, ".headrace/tree/.git/gc.log"))).toBe(false)
      }
    })
  })

  it("--group-write: folders are for the group too", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      await repo.commit({ "deep/x": "1" })
      await gitSyncOnce([...flags, "--group-write"])
      expect((await stat(join(root, "link/deep"))).mode & 0o777).toBe(0o775)
    })
  })
})

it("has a test for each of git-sync's end-to-end behaviours", () => {
  const files = ["refs", "hooks", "loop", "login", "content"].map((part) =>
    readFileSync(join(import.meta.dirname, `git-sync-${part}.test.ts`), "utf8"),
  )
  const titles =
    files
      .join("\n")
      .match(/it\(\s*"[^"]*"/g)
      ?.join("\n") ?? ""
  const names = new Set(titles.match(/[a-z0-9]+(_[a-z0-9]+)+|readlink/g))
  expect(Object.keys(GIT_SYNC_BEHAVIOURS).filter((name) => !names.has(name))).toEqual([])
  expect(Object.keys(NOT_HERE).filter((name) => names.has(name))).toEqual([])
})
