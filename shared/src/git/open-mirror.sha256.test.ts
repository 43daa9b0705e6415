import { execFile } from "node:child_process"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { withFolder } from "@headrace/test/harness/with-folder"
import { testGitEnvironment } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { openMirror } from "./open-mirror.ts"
import { readFolderTree } from "./read-folder-tree.ts"

const run = promisify(execFile)
const log = createLog("test", { level: "silent" })

it("follows a repository that names its objects by SHA-256, also one that did not before, and reads its checkout", () =>
  withFolder(async (folder) => {
    const repo = join(folder, "repo")
    async function init(format: string, content: string): Promise<string> {
      await rm(repo, { recursive: true, force: true })
      const git = (...args: string[]) => run("git", args, { cwd: folder, env: testGitEnvironment })
      await git("init", "--quiet", "--initial-branch=main", `--object-format=${format}`, repo)
      await writeFile(join(repo, "a"), content)
      await git("-C", repo, "add", ".")
      await git("-C", repo, "commit", "--quiet", "--message", content)
      return (await git("-C", repo, "rev-parse", "HEAD")).stdout.trim()
    }
    const options = { name: "m", url: repo, branch: "main", folder: join(folder, "mirrors"), log }
    const contents: string[] = []
    for (const format of ["sha256", "sha1", "sha256"]) {
      const mirror = await openMirror(options)
      const commit = await init(format, format)
      expect(await mirror.fetch()).toEqual({ commit, seq: 1 })
      contents.push(`${commit.length} ${await mirror.file(commit, "a")}`)
      await mirror.close()
    }
    expect(contents).toEqual(["64 sha256", "40 sha1", "64 sha256"])

    await writeFile(join(repo, "b"), "new")
    const files = await readFolderTree([repo])
    expect(files.tree.files.map(({ path, oid }) => [path, oid.length])).toEqual([
      ["a", 64],
      ["b", 64],
    ])
    await files.close()
  }))
