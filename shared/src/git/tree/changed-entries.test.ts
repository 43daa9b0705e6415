import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import fc from "fast-check"
import { expect, it } from "vitest"
import { foldersOf } from "../../foundation/folders-of.ts"
import { ObjectReader } from "../objects/object-reader.ts"
import { runGit } from "../process/run-git.ts"
import { changedEntries, type ReadObjects } from "./changed-entries.ts"

const run = promisify(execFile)

const part = fc.constantFrom("a", "b", "a.b", "ab", "a-b", "ü", "deep")
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"))
const entry = fc.record({
  mode: fc.constantFrom("100644", "100755", "120000"),
  text: fc.constantFrom("1", "2", "a"),
})
const tree = fc.dictionary(path, entry, { maxKeys: 12 })
type Tree = Record<string, { mode: string; text: string }>

/** Nothing lies beneath a file. */
function free(given: Tree): [string, { mode: string; text: string }][] {
  return Object.entries(given).filter(([each]) =>
    foldersOf(each).every((folder) => given[folder] === undefined),
  )
}

/** Commits the trees one after the other in a new repository; gives the commits. */
async function withCommits(
  objectFormat: "sha1" | "sha256",
  trees: readonly Tree[],
  use: (gitDir: string, commits: string[], read: ReadObjects) => Promise<void>,
): Promise<void> {
  const gitDir = await mkdtemp(join(tmpdir(), "headrace-trees-"))
  const reader = new ObjectReader(gitDir, "contents")
  try {
    await run("git", ["init", "--quiet", "--bare", `--object-format=${objectFormat}`, gitDir])
    const child = run("git", [`--git-dir=${gitDir}`, "fast-import", "--quiet"])
    child.child.stdin?.end(trees.map(importOf).join(""))
    await child
    const listed = await runGit({ gitDir, args: ["rev-list", "--reverse", "main"] })
    const commits = listed.stdout.toString().trim().split("\n")
    await use(gitDir, commits, (oids) => reader.read(oids))
  } finally {
    reader.close()
    await rm(gitDir, { recursive: true, force: true })
  }
}

/** git-fast-import(1), "Input format". */
function importOf(files: Tree, index: number): string {
  const head = `commit refs/heads/main\ncommitter t <t@example.invalid> ${index} +0000\ndata 1\n.\ndeleteall\n`
  const entries = free(files).map(
    ([at, { mode, text }]) => `M ${mode} inline "${at}"\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  )
  return head + entries.join("")
}

async function diffTree(gitDir: string, before: string, after: string): Promise<string[]> {
  const args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after]
  const { stdout } = await runGit({ gitDir, args })
  const records = stdout.toString().split("\0")
  return records.flatMap((record, at) => {
    const [, mode, was, is] = record.split(" ")
    return record.startsWith(":") ? `${mode} ${mode === "000000" ? was : is} ${records[at + 1]}` : []
  })
}

it.each(["sha1", "sha256"] as const)("are those that git diff-tree prints, by ids of %s", async (format) => {
  const trees = fc.sample(tree, { numRuns: 60, seed: 3 })
  await withCommits(format, trees, async (gitDir, commits, read) => {
    expect(commits).toHaveLength(trees.length)
    for (const [index, commit] of commits.entries()) {
      const before = commits[index - 1] ?? commit
      const found = await changedEntries(before, commit, read)
      const lines = found?.map(({ mode, oid, path: at }) => `${mode} ${oid} ${at}`)
      expect(lines?.sort()).toEqual((await diffTree(gitDir, before, commit)).sort())
    }
  })
})

it("finds one change in a large folder, and gives up where listing is better", async () => {
  const large: Tree = Object.fromEntries(
    Array.from({ length: 11_000 }, (_, at) => [`folder/file-${at}`, { mode: "100644", text: "1" }]),
  )
  const changed: Tree = { ...large, "folder/file-7000": { mode: "100755", text: "2" } }
  const { "folder/file-5": _, ...fewer } = changed
  await withCommits("sha1", [large, changed, fewer, {}], async (_dir, commits, read) => {
    const [first = "", second = "", third = "", last = ""] = commits
    const paths = async (before: string, after: string) =>
      (await changedEntries(before, after, read))?.map(({ mode, path: at }) => `${mode} ${at}`)
    expect(await paths(first, second)).toEqual(["100755 folder/file-7000"])
    expect(await paths(second, third)).toEqual(["000000 folder/file-5"])
    expect(await paths(third, second)).toEqual(["100644 folder/file-5"])
    expect(await paths(third, last), "more than are worth it").toBeUndefined()
    expect(await paths("0".repeat(40), last), "a commit that is gone").toBeUndefined()
  })
})
