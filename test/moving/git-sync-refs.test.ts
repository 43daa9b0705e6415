import { existsSync, readFileSync, readlinkSync } from "node:fs"
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"
import { gitSyncOnce, withGitSync } from "../harness/run-git-sync.ts"
import { withRepo } from "../harness/with-repo.ts"
import { withGitSyncSite } from "./git-sync-site.ts"

/** What is under ..rev, by commit. */
async function revisions(root: string): Promise<string[]> {
  const slots = (await readdir(join(root, "..rev"))).filter((name) => /^\d+$/.test(name))
  const all = await Promise.all(slots.map((slot) => readdir(join(root, "..rev", slot))))
  return all.flat().filter((name) => /^[0-9a-f]{40}$/.test(name))
}

describe("the root", () => {
  it("init_root_doesnt_exist, init_root_exists_empty: is made, or taken as it is", async () => {
    await withGitSyncSite(async ({ root, flags, file }) => {
      await gitSyncOnce(flags)
      expect(file()).toBe("1")
      await rm(root, { recursive: true })
      await mkdir(root)
      await gitSyncOnce(flags)
      expect(file()).toBe("1")
    })
  })

  it("init_root_flag_is_weird, init_root_flag_has_symlink: may be written in any way, and lead through links", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      await gitSyncOnce([...flags, `--root=${repo.scratch}/../scratch/./root/`])
      expect(file()).toBe("1")
      await mkdir(join(repo.scratch, "real"))
      await symlink("real", join(repo.scratch, "alias"))
      await gitSyncOnce([...flags, `--root=${repo.scratch}/alias/root`, "--touch-file=touched"])
      expect(readFileSync(join(repo.scratch, "real/root/link/file"), "utf8")).toBe("1")
      expect(existsSync(join(repo.scratch, "real/root/touched"))).toBe(true)
      expect(existsSync(root)).toBe(true)
    })
  })

  it("init_root_is_under_another_repo, init_root_fails_sanity: a repository around or in it is left alone", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      await repo.git("init", "--quiet", repo.scratch)
      await mkdir(join(root, ".git"), { recursive: true })
      await writeFile(join(root, ".git/HEAD"), "ref: refs/heads/nonexist\n")
      await writeFile(join(root, "another's"), "stays")
      await gitSyncOnce(flags)
      expect(file()).toBe("1")
      expect(readFileSync(join(root, "another's"), "utf8")).toBe("stays")
    })
  })

  it("v3_v4_upgrade_in_place: takes over the link of git-sync 3 and 4, without a moment without it", async () => {
    for (const place of [".worktrees/", ""]) {
      await withGitSyncSite(async ({ repo, root, flags, file }) => {
        const old = await repo.tip()
        await mkdir(join(root, place, old), { recursive: true })
        await writeFile(join(root, place, old, "file"), "0")
        await symlink(`${place}${old}`, join(root, "link"))
        expect(file()).toBe("0")
        await gitSyncOnce(flags)
        expect(file()).toBe("1")
        expect(readlinkSync(join(root, "link"))).toMatch(/^\.\.rev\//)
      })
    }
  })

  it("refuses a link that is neither ours nor git-sync's, and names it", async () => {
    await withGitSyncSite(async ({ root, flags }) => {
      await mkdir(join(root, "data"), { recursive: true })
      await symlink("data", join(root, "link"))
      await expect(gitSyncOnce([...flags, "--max-failures=0"])).rejects.toMatchObject({
        cause: { message: expect.stringContaining("link leads to data") },
      })
    })
  })
})

describe("the ref", () => {
  it("bad_ref_non_zero_exit: ends after --max-failures, and names the ref", async () => {
    await withGitSyncSite(async ({ root, flags }) => {
      const sync = gitSyncOnce([...flags, "--ref=does-not-exist", "--max-failures=2"])
      await expect(sync).rejects.toMatchObject({
        code: "git-sync/too-many-failures",
        message: "2 syncs failed one after another",
        cause: expect.objectContaining({ message: expect.stringContaining("couldn't find remote ref") }),
      })
      expect(existsSync(join(root, "link"))).toBe(false)
    })
  })

  it("sync_default_ref, sync_head, readlink: HEAD is followed forward and back; the link's last part is the commit", async () => {
    await withGitSyncSite(async ({ repo, flags, file, hash }) => {
      const first = await repo.tip()
      await withGitSync(flags, async () => {
        await expect.poll(file).toBe("1")
        expect(hash()).toBe(first)
        const second = await repo.commit({ file: "2" })
        await expect.poll(hash).toBe(second)
        expect(file()).toBe("2")
        await repo.forcePush(first)
        await expect.poll(hash).toBe(first)
        expect(file()).toBe("1")
      })
    })
  })

  it("sync_branch, sync_branch_switch, sync_tag, sync_annotated_tag: each is followed wherever it moves", async () => {
    await withGitSyncSite(async ({ repo, flags, file, hash }) => {
      const main = await repo.tip()
      await repo.git("branch", "other")
      await repo.git("tag", "plain")
      await repo.git("tag", "--annotate", "--message=x", "noted")
      const second = await repo.commit({ file: "2" })
      await gitSyncOnce([...flags, "--ref=other"])
      expect(file()).toBe("1")
      await gitSyncOnce([...flags, "--ref=main"])
      expect(hash()).toBe(second)
      for (const tag of ["plain", "noted"]) {
        await withGitSync([...flags, `--ref=${tag}`], async () => {
          await expect.poll(hash).toBe(main)
          await repo.git(
            "tag",
            "--force",
            ...(tag === "noted" ? ["--annotate", "--message=y"] : []),
            tag,
            second,
          )
          await expect.poll(hash).toBe(second)
        })
      }
    })
  })

  it("sync_sha, sync_sha_once, sync_sha_once_sync_different_sha_known, sync_sha_once_sync_different_sha_unknown, sync_sha_shafile_exists", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      const first = await repo.tip()
      const second = await repo.commit({ file: "2" })
      await writeFile(join(repo.scratch, "x"), "")
      await mkdir(root)
      await writeFile(join(root, second), "a file of the commit's name")
      await withGitSync([...flags, `--ref=${first}`], async () => {
        await expect.poll(file).toBe("1")
      })
      await gitSyncOnce([...flags, `--ref=${second}`])
      expect(file()).toBe("2")
      const third = await repo.commit({ file: "3" })
      await gitSyncOnce([...flags, `--ref=${third}`])
      expect(file()).toBe("3")
    })
  })

  it("takes a short commit id too, which git-sync 4 cannot", async () => {
    await withGitSyncSite(async ({ repo, flags, file, hash }) => {
      const first = await repo.tip()
      await repo.commit({ file: "2" })
      await gitSyncOnce([...flags, `--ref=${first.slice(0, 9)}`])
      expect(hash()).toBe(first)
      expect(file()).toBe("1")
    })
  })

  it("sync_repo_switch: another repository at the next start replaces what is shown", async () => {
    await withGitSyncSite(async ({ flags, file }) => {
      await gitSyncOnce(flags)
      await withRepo(async (other) => {
        await other.commit({ file: "other" })
        await gitSyncOnce([...flags, `--repo=file://${other.folder}`])
        expect(file()).toBe("other")
      })
    })
  })
})

it("syncs a repository that belongs to another user, by its path", async () => {
  await withGitSyncSite(async ({ repo, flags, file }) => {
    // git's own way of testing this: every owner is another one.
    const git = join(repo.scratch, "git")
    await writeFile(git, '#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"\n', { mode: 0o755 })
    await gitSyncOnce([...flags, `--git=${git}`, "--max-failures=0"])
    expect(file()).toBe("1")
  })
})

describe("the link", () => {
  it("sync_head_absolute_link, sync_head_subdir_link: may be anywhere; the files stay in the root", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const elsewhere = join(repo.scratch, "other/dir/current")
      for (const [link, at] of [
        ["other/dir/link", join(root, "other/dir/link")],
        [elsewhere, elsewhere],
      ] as const) {
        await withGitSync([...flags, `--link=${link}`], async () => {
          await expect.poll(() => readFileSync(join(at, "file"), "utf8")).toBe("1")
          expect(readlinkSync(at)).toMatch(/^\.\.\//)
          const next = await repo.commit({ file: "2" })
          await expect.poll(() => basename(readlinkSync(at))).toBe(next)
          await repo.commit({ file: "1" })
        })
        await gitSyncOnce([...flags, `--link=${link}`])
        expect(readFileSync(join(at, "file"), "utf8")).toBe("1")
      }
    })
  })

  it("is named after the repository by default, also when the repository has a folder of that name", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      await repo.commit({ "repo/inner": "x" })
      await gitSyncOnce(flags.filter((flag) => !flag.startsWith("--link")))
      expect(readFileSync(join(root, "repo/repo/inner"), "utf8")).toBe("x")
    })
  })

  it("sync_crash_no_link_cleanup_retry, sync_crash_no_worktree_cleanup_retry: leftovers of a crash keep nothing from syncing", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      await gitSyncOnce(flags)
      await symlink("x", join(root, "tmp-link"))
      await symlink("x", join(root, "..rev/.link-1-aaaaaaaaaaaa"))
      await mkdir(join(root, "..rev/0002", await repo.commit({ file: "2" })), { recursive: true })
      await writeFile(join(root, ".headrace/tree/.git/index.lock"), "")
      await writeFile(join(root, ".headrace/tree/.git/shallow.lock"), "")
      await gitSyncOnce(flags)
      expect(file()).toBe("2")
    })
  })

  it("a clone that git cannot use is made again", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file }) => {
      await gitSyncOnce(flags)
      await repo.commit({ file: "2" })
      await rm(join(root, ".headrace/tree/.git/objects"), { recursive: true })
      await gitSyncOnce(flags)
      expect(file()).toBe("2")
    })
  })
})

describe("what was replaced", () => {
  it("worktree_cleanup: is removed, but for the one before", async () => {
    await withGitSyncSite(async ({ repo, root, flags, hash }) => {
      await withGitSync([...flags, "--stale-worktree-timeout=100ms"], async () => {
        for (let step = 2; step < 6; step += 1) {
          const next = await repo.commit({ file: String(step) })
          await expect.poll(hash).toBe(next)
        }
        const tip = await repo.tip()
        await expect.poll(() => revisions(root), { interval: 200 }).toEqual([tip])
      })
    })
  })

  it("stale_worktree_timeout, stale_worktree_timeout_restart: stays for that time, also after a restart", async () => {
    await withGitSyncSite(async ({ repo, root, flags }) => {
      const first = await repo.tip()
      await gitSyncOnce([...flags, "--stale-worktree-timeout=1h"])
      const second = await repo.commit({ file: "2" })
      await gitSyncOnce([...flags, "--stale-worktree-timeout=1h"])
      await gitSyncOnce([...flags, "--stale-worktree-timeout=1h"])
      expect((await revisions(root)).sort()).toEqual([first, second].sort())
      await gitSyncOnce([...flags, "--stale-worktree-timeout=1ms"])
      await expect.poll(() => revisions(root)).toEqual([second])
    })
  })

  it("worktree_unexpected_removal, sync_recover_wrong_worktree_hash: what another program removes or moves comes back", async () => {
    await withGitSyncSite(async ({ repo, root, flags, file, hash }) => {
      const first = await repo.tip()
      await gitSyncOnce(flags)
      await repo.commit({ file: "2" })
      const touched = join(root, "touched")
      await withGitSync([...flags, "--touch-file=touched"], async () => {
        await expect.poll(() => existsSync(touched)).toBe(true)
        await rm(touched)
        const shown = join(root, readlinkSync(join(root, "link")))
        await rm(shown, { recursive: true })
        await expect.poll(() => existsSync(touched)).toBe(true)
        expect(file()).toBe("2")
        await rm(touched)
        await rm(join(root, "link"))
        await symlink(`..rev/0001/${first}`, join(root, "link"))
        await expect.poll(() => existsSync(touched)).toBe(true)
        expect([hash(), file()]).toEqual([await repo.tip(), "2"])
      })
    })
  })
})
