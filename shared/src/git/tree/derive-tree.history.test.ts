import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import {
  REAL_BRANCH,
  realHistoryBundle,
  realHistoryMissing,
  realMerges,
} from "@headrace/test/harness/test-data"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { describe, expect, it } from "vitest"
import { createLog } from "../../observe/log.ts"
import { resolveLinks } from "../links/resolve-links.ts"
import { type Mirror, openMirror } from "../open-mirror.ts"
import { runGit } from "../process/run-git.ts"
import { readFolderTree } from "../read-folder-tree.ts"
import { listTree } from "./list-tree.ts"

const missing = realHistoryMissing()
if (missing) process.stderr.write(`trees of the real history: ${missing}\n`)

async function withMirror(
  fn: (mirror: Mirror, gitDir: string, scratch: string) => Promise<void>,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "headrace-history-"))
  const log = createLog("test", { level: "silent" })
  const mirror = await openMirror({
    name: "m",
    url: realHistoryBundle(),
    branch: REAL_BRANCH,
    folder: scratch,
    log,
  })
  try {
    await mirror.fetch()
    await fn(mirror, join(scratch, "m.git"), scratch)
  } finally {
    await mirror.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

describe.skipIf(missing)(`trees of the real history${whySkipped(missing)}`, () => {
  it("are the same derived from the merge before as listed, and so are counts", () =>
    withMirror(async (mirror, gitDir) => {
      const sizes = () => Promise.reject(new Error("a listing has all sizes"))
      const contents = (oids: readonly string[]) => mirror.blobs(oids)
      const merges = realMerges()
      expect(merges.length).toBeGreaterThan(300)
      for (const { sha } of merges) {
        const derived = await mirror.tree(sha)
        const listed = await listTree(gitDir, sha, {
          contents,
          sizes: (oids) => (oids.length ? sizes() : Promise.resolve([])),
        })
        const resolved = resolveLinks(listed)
        expect(derived.files).toEqual(resolved.files)
        expect(derived.problems).toEqual(resolved.problems)
        const counted = await runGit({ gitDir, args: ["rev-list", "--count", sha] })
        expect(await mirror.seqOf(sha)).toBe(Number(counted.stdout))
      }
    }))

  it("are the same read from a checkout of the tip", { timeout: 120_000 }, () =>
    withMirror(async (mirror, gitDir, scratch) => {
      const { commit } = await mirror.fetch()
      const checkout = join(scratch, "checkout")
      await mkdir(checkout)
      await promisify(execFile)("git", [
        `--git-dir=${gitDir}`,
        `--work-tree=${checkout}`,
        "checkout",
        "-q",
        commit,
        "--",
        ".",
      ])
      const facts = (file: { path: string; size: number; executable: boolean }) => [
        file.path,
        file.size,
        file.executable,
      ]

      const fromGit = await mirror.tree(commit)
      const fromFolder = await readFolderTree([checkout])

      expect(fromFolder.tree.files.map(facts)).toEqual(fromGit.files.map(facts))
      expect(fromFolder.tree.problems).toEqual(fromGit.problems)
      const blobs = await mirror.blobs(fromGit.files.map((file) => file.oid))
      for (const [index, file] of fromFolder.tree.files.entries()) {
        expect(blobs[index]?.equals(await fromFolder.read(file))).toBe(true)
      }
    }),
  )
})
