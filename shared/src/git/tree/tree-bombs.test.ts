import { execFile } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"
import { withFolder } from "../../../../test/harness/with-folder.ts"
import { RepositoryReader } from "../objects/repository-reader.ts"

const MEGABYTE = 2 ** 20
const MANY = 2000

/** A bare repository with a commit of one file, what reads it, and a way to commit a tree of a crafted shape. */
async function withRepository(
  use: (given: {
    small: string
    reader: RepositoryReader
    /** Commits what `git mktree` makes of these lines; each may name `$BELOW`, the tree before, and `$BLOB`. */
    commit(...levels: string[][]): Promise<string>
  }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const gitDir = join(folder, "bare.git")
    const git = (args: string[], input = "") =>
      new Promise<string>((resolve, reject) => {
        const child = execFile("git", args, { env: { ...process.env, ...AUTHOR } }, (error, stdout) =>
          error ? reject(error) : resolve(stdout.trim()),
        )
        if (input !== "") child.stdin?.end(input)
      })
    await git(["init", "--quiet", "--bare", gitDir])
    const at = `--git-dir=${gitDir}`
    const blob = await git([at, "hash-object", "-w", "--stdin"], "content")
    async function commit(...levels: string[][]): Promise<string> {
      let below = ""
      for (const lines of levels) {
        const text = lines.map((line) => line.replace("$BELOW", below).replace("$BLOB", blob)).join("\n")
        below = await git([at, "mktree"], `${text}\n`)
      }
      return git([at, "commit-tree", below, "-m", "crafted"])
    }
    const reader = new RepositoryReader(gitDir, { bounds: { file: MEGABYTE, files: 1000 } })
    try {
      await use({ small: await commit(["100644 blob $BLOB\ta"]), reader, commit })
    } finally {
      reader.close()
    }
  })
}

const AUTHOR = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.invalid",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.invalid",
}

function each(count: number, line: string): string[] {
  return Array.from({ length: count }, (_, index) => `${line}${index}`)
}

/** The most that this process has had in memory by now, in bytes: getrusage(2). */
const peak = () => process.resourceUsage().maxRSS * 1024

it.each(["listed", "derived from its neighbour"])(
  "a commit that is %s, and whose tree names billions of files, stops its source within memory",
  (how) =>
    withRepository(async ({ small, reader, commit }) => {
      async function read(crafted: string) {
        if (how !== "listed") expect((await reader.tree(small)).files).toHaveLength(1)
        const before = peak()
        const tree = await reader.tree(crafted).catch((error: unknown) => error)
        expect(peak() - before).toBeLessThan(150 * MEGABYTE)
        return tree
      }
      const files = each(MANY, "100644 blob $BLOB\tfile")
      const folders = each(MANY, "040000 tree $BELOW\tfolder")
      const tooMany = {
        code: "git/too-many-files",
        message: expect.stringContaining("has more than 1000 files"),
      }
      expect(await read(await commit(files, folders, folders)), "eight billion files").toMatchObject(tooMany)
      const long = (name: string) => `040000 tree $BELOW\t${name}`
      const megabytes = long("n".repeat(MEGABYTE))
      expect(await read(await commit(files, [megabytes])), "a name of a megabyte").toMatchObject(tooMany)
      // What no file system could hold is named shortly, and keeps nothing else back.
      const mixed = await commit(["100644 blob $BLOB\tb"], ["100644 blob $BLOB\ta", long("n".repeat(5000))])
      const message = expect.stringMatching(/^the path "n{500}…" has more than 4096 characters$/)
      expect(await read(mixed)).toMatchObject({
        files: [{ path: "a" }],
        problems: [{ code: "git/bad-path", message }],
      })
    }),
)
