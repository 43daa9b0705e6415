import { existsSync, readFileSync } from "node:fs"
import { chmod, readdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import { gitSyncOnce, withGitSync } from "../harness/run-git-sync.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { type GitSyncSite, withGitSyncSite } from "./git-sync-site.ts"

const ALLOW_FILES = "--git-config=protocol.file.allow:always"

function read(root: string, path: string): string | undefined {
  const file = join(root, "link", path)
  return existsSync(file) ? readFileSync(file, "utf8") : undefined
}

/** Commits in the clone of the site's repository, by its own count. */
function history({ repo, root }: GitSyncSite): Promise<string> {
  return repo.git("-C", join(root, ".headrace/tree"), "rev-list", "--count", "HEAD")
}

/** A site with a submodule `sub`, which has one `deeper` of its own, and another repository `bare`. */
async function withSubmodules(fn: (site: GitSyncSite & { sub: TestRepo }) => Promise<void>): Promise<void> {
  await withGitSyncSite(async (site) => {
    await withRepo(async (sub) => {
      await withRepo(async (deeper) => {
        await deeper.commit({ file: "deeper" })
        await addSubmodule(sub, deeper.folder, "deeper")
        await sub.commit({ file: "sub" })
        await addSubmodule(site.repo, sub.folder, "sub")
        await fn({ ...site, sub })
      })
    })
  })
}

async function addSubmodule(repo: TestRepo, url: string, path: string): Promise<void> {
  await repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, path)
  await repo.commit({}, `add ${path}`)
}

describe("--depth", () => {
  it("sync_depth_default_shallow, sync_depth_across_updates, sync_depth_change_on_restart", async () => {
    await withGitSyncSite(async (site) => {
      const { repo, flags, file } = site
      for (let step = 2; step < 6; step += 1) await repo.commit({ file: String(step) })
      await gitSyncOnce(flags)
      expect(await history(site)).toBe("1")
      await withGitSync([...flags, "--depth=3"], async () => {
        await expect.poll(file).toBe("5")
        await repo.commit({ file: "6" })
        await expect.poll(file).toBe("6")
      })
      expect(await history(site)).toBe("3")
      await repo.commit({ file: "7" })
      await gitSyncOnce([...flags, "--depth=0"])
      expect(await history(site)).toBe("8")
      await repo.commit({ file: "8" })
      await gitSyncOnce([...flags, "--depth=2"])
      expect(await history(site)).toBe("2")
    })
  })
})

describe("--submodules", () => {
  it("submodule_sync_default, submodule_sync_shallow, submodule_sync_off, submodule_sync_depth", async () => {
    await withSubmodules(async ({ repo, root, flags, sub }) => {
      const all = [...flags, ALLOW_FILES]
      await gitSyncOnce(all)
      expect([read(root, "sub/file"), read(root, "sub/deeper/file")]).toEqual(["sub", "deeper"])
      expect(existsSync(join(root, "link/sub/.git"))).toBe(false)
      await sub.commit({ file: "sub 2" })
      await repo.git("-C", "sub", "pull", "--quiet")
      await repo.commit({}, "move it")
      await gitSyncOnce([...all, "--depth=1"])
      expect(read(root, "sub/file")).toBe("sub 2")
      await repo.commit({ more: "shallow" })
      await gitSyncOnce([...all, "--submodules=shallow"])
      expect([read(root, "sub/file"), read(root, "more")]).toEqual(["sub 2", "shallow"])
      await repo.commit({ more: "off" })
      await gitSyncOnce([...all, "--submodules=off"])
      expect([read(root, "sub/file"), read(root, "more")]).toEqual([undefined, "off"])
      await repo.git("rm", "--quiet", "sub")
      await repo.commit({ more: "removed" })
      await gitSyncOnce(all)
      expect([read(root, "sub/file"), read(root, "more")]).toEqual([undefined, "removed"])
    })
  })

  it("lets no submodule name a local path unless git's settings allow it", async () => {
    await withSubmodules(async ({ flags, root }) => {
      await expect(gitSyncOnce([...flags, "--max-failures=0"])).rejects.toMatchObject({
        cause: { message: expect.stringContaining("transport 'file' not allowed") },
      })
      expect(existsSync(join(root, "link"))).toBe(false)
    })
  })

  it("submodule_sync_relative: counts from --repo", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const beside = join(repo.folder, "../beside")
      await repo.git("clone", "--quiet", repo.folder, beside)
      await addSubmodule(repo, "../beside", "sub")
      await gitSyncOnce([...flags, ALLOW_FILES])
      expect(read(root, "sub/file")).toBe("1")
    })
  })

  it("submodule_sync_over_http_different_passwords: each server gets its own login", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      await withRepo(async (sub) => {
        await sub.commit({ file: "sub" })
        await withGitServer(sub.folder, async (second) => {
          await addSubmodule(repo, second.url, "sub")
          second.token = "two"
          await withGitServer(repo.folder, async (first) => {
            first.token = "one"
            const login = (url: string, password: string) =>
              `--credential=${JSON.stringify({ url, username: "x-access-token", password })}`
            await gitSyncOnce([
              ...flags,
              `--repo=${first.url}`,
              login(first.url, "one"),
              login(second.url, "two"),
            ])
            expect(read(root, "sub/file")).toBe("sub")
            const basic = (password: string) =>
              `Basic ${Buffer.from(`x-access-token:${password}`).toString("base64")}`
            expect(new Set(first.authorizations)).toEqual(new Set([undefined, basic("one")]))
            expect(second.authorizations).toContain(basic("two"))
            expect(second.authorizations).not.toContain(basic("one"))
          })
        })
      })
    })
  })

  it("submodule_sync_over_ssh_different_keys: all keys are offered to each server", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      await withRepo(async (sub) => {
        await sub.commit({ file: "sub" })
        const ssh = join(repo.scratch, "ssh")
        await writeFile(
          ssh,
          `#!/bin/sh\necho "$@" >> ${repo.scratch}/calls\nfor last; do :; done\nexec sh -c "$last"\n`,
        )
        await chmod(ssh, 0o755)
        await addSubmodule(repo, sub.folder, "sub")
        await repo.git("config", "--file", ".gitmodules", "submodule.sub.url", `ssh://me@second${sub.folder}`)
        await repo.commit({}, "over ssh")
        process.env.GIT_SSH_COMMAND = ssh
        try {
          const keys = ["--ssh-key-file=/keys/1", "--ssh-key-file=/keys/2"]
          await gitSyncOnce([...flags, `--repo=ssh://me@first${repo.folder}`, ...keys])
        } finally {
          delete process.env.GIT_SSH_COMMAND
        }
        expect(read(root, "sub/file")).toBe("sub")
        const calls = readFileSync(join(repo.scratch, "calls"), "utf8").trim().split("\n")
        expect(calls.filter((call) => call.includes("-i /keys/1 -i /keys/2"))).toEqual(calls)
        expect(calls.some((call) => call.includes("me@second"))).toBe(true)
      })
    })
  })
})

describe("what is checked out", () => {
  it("sparse_checkout: only what the patterns name, and all again without them", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const patterns = join(repo.scratch, "patterns")
      await writeFile(patterns, "!/*\n/kept/\n")
      await repo.commit({ "kept/x": "1", "left/y": "1" })
      await gitSyncOnce([...flags, `--sparse-checkout-file=${patterns}`])
      expect([read(root, "kept/x"), read(root, "left/y"), read(root, "file")]).toEqual([
        "1",
        undefined,
        undefined,
      ])
      await writeFile(patterns, "!/*\n/left/\n")
      await repo.commit({ "kept/x": "2" })
      await gitSyncOnce([...flags, `--sparse-checkout-file=${patterns}`])
      expect([read(root, "kept/x"), read(root, "left/y")]).toEqual([undefined, "1"])
      await repo.commit({ "kept/x": "3" })
      await gitSyncOnce(flags)
      expect([read(root, "kept/x"), read(root, "left/y"), read(root, "file")]).toEqual(["3", "1", "1"])
    })
  })

  it("filter_partial_clone_blob_none, filter_with_sparse_checkout, filter_across_updates: fetches what is shown", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      await repo.git("config", "uploadpack.allowFilter", "true")
      await repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
      const patterns = join(repo.scratch, "patterns")
      await writeFile(patterns, "/file\n")
      await repo.commit({ big: "x".repeat(10_000) })
      const big = await repo.git("rev-parse", "main:big")
      const filter = [...flags, "--filter=blob:none"]
      await withGitSync([...filter, `--sparse-checkout-file=${patterns}`], async () => {
        await expect.poll(file).toBe("1")
        await repo.commit({ file: "2" })
        await expect.poll(file).toBe("2")
      })
      expect(read(root, "big")).toBeUndefined()
      const here = await repo.git(
        "-C",
        join(root, ".headrace/tree"),
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objectname)",
      )
      expect(here).not.toContain(big)
      await repo.commit({ file: "3" })
      await gitSyncOnce(filter)
      expect([read(root, "big")?.length, file()]).toEqual([10_000, "3"])
    })
  })

  it("additional_git_configs: reach git, by both flags and in quotes", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const instead = `url."file://${repo.folder}".insteadOf`
      const config = [`--git-config="url.file://${repo.folder}.insteadOf":"other:\\"x",core.pager:cat`]
      expect(instead).toBeTruthy()
      await gitSyncOnce([...flags, ...config, '--repo=other:"x'])
      expect(read(root, "file")).toBe("1")
      await repo.commit({ file: "2", ".gitattributes": "file eol=crlf text\n" })
      await repo.commit({ file: "2\n" })
      await gitSyncOnce([...flags, "--git-config-add=core.eol:crlf"])
      expect(read(root, "file")).toBe("2\r\n")
    })
  })

  it("git's settings of the environment reach git, after those of the flags", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      vi.stubEnv("GIT_CONFIG_COUNT", "1")
      vi.stubEnv("GIT_CONFIG_KEY_0", `url.file://${repo.folder}.insteadOf`)
      vi.stubEnv("GIT_CONFIG_VALUE_0", "http://mirrored.test/repo")
      try {
        await gitSyncOnce([...flags, "--repo=http://mirrored.test/repo", "--max-failures=0"])
      } finally {
        vi.unstubAllEnvs()
      }
      expect(file()).toBe("1")
    })
  })

  it("publishes links as what they link to, and names what it leaves out", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      await repo.commit({
        "dir/x": "1",
        "to-file": { link: "dir/x" },
        "to-dir": { link: "dir" },
        dangling: { link: "nowhere" },
        outward: { link: "/etc/hostname" },
        "in-git": { link: ".git/config" },
        round: { link: "round" },
        "dir/up": { link: "../dir" },
        "..top": "x",
        run: { executable: "#!/bin/sh\n" },
      })
      const sync = await gitSyncOnce(flags)
      expect([read(root, "to-file"), read(root, "to-dir/x")]).toEqual(["1", "1"])
      expect((await readdir(join(root, "link"))).sort()).toEqual(["dir", "file", "run", "to-dir", "to-file"])
      const line = sync.log().find(({ msg }) => msg === "paths are left out")
      const paths = ((line?.paths ?? []) as string[]).map((text) => text.split(":")[0])
      expect(paths.sort()).toEqual([
        '"..top"',
        '"dangling"',
        '"dir/up"',
        '"in-git"',
        '"outward"',
        '"round"',
        '"to-dir/up"',
      ])
      await symlink("x", join(root, "link/made-by-a-consumer"))
      await repo.commit({ file: "2" })
      await gitSyncOnce(flags)
      expect(existsSync(join(root, "link/made-by-a-consumer"))).toBe(false)
    })
  })
})
