import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { mirrorContents } from "@headrace/test/harness/with-mirror"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { openMirror } from "./open-mirror.ts"

const log = createLog("test", { level: "silent" })
const ROOT = process.getuid?.() === 0
if (!ROOT) process.stdout.write("mirrors on a full disk are not tested: it needs root to mount one\n")

/** A disk of 2 MB, and how to give it more. */
async function withSmallDisk(
  test: (repo: TestRepo, disk: string, enlarge: () => void) => Promise<void>,
): Promise<void> {
  await withRepo(async (repo) => {
    const disk = join(repo.scratch, "disk")
    await mkdir(disk)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
    try {
      await test(repo, disk, () => execFileSync("mount", ["-o", "remount,size=64m", disk]))
    } finally {
      execFileSync("umount", [disk])
    }
  })
}

async function unfinished(disk: string): Promise<string[]> {
  const names = await readdir(disk, { recursive: true })
  return names.filter((name) => /tmp_|\.lock$/.test(name))
}

describe.skipIf(!ROOT)(`a mirror on a full disk${whySkipped(notRoot())}`, () => {
  it.each([
    [
      "a pack",
      () => Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`f${n}`, randomBytes(20_000)])),
    ],
    ["an object", () => ({ large: randomBytes(3_000_000) })],
  ])(
    "that has no room for %s keeps what it has, leaves nothing half written and goes on with room",
    (_, files) =>
      withSmallDisk(async (repo, disk, enlarge) => {
        const kept = await repo.commit({ small: "1" })
        const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder: disk, log })
        await mirror.fetch()
        const commit = await repo.commit(files())
        for (let attempt = 0; attempt < 2; attempt++) {
          await expect(mirror.fetch()).rejects.toMatchObject({ code: "git/disk-full" })
          expect(await unfinished(disk)).toEqual([])
        }
        expect(await mirrorContents(mirror, kept)).toEqual({ small: "1" })
        enlarge()
        expect(await mirror.fetch()).toEqual({ commit, seq: 3 })
        await mirror.close()
      }),
  )
})
