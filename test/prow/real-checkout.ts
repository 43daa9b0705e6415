import { execFile } from "node:child_process"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { REAL_BRANCH } from "../harness/test-data.ts"
import { testGitEnvironment } from "../harness/with-repo.ts"

const run = promisify(execFile)

/** All that the real rules name lies here. */
const NAMED = ["config", "label_sync/labels.yaml", "experiment/test-configmap.txt"]

/** Writes what rules of the real history name at its tip to a folder: the files alone, without `.git`. */
export async function checkOutReal(bundle: string, folder: string): Promise<void> {
  const gitDir = `${folder}.git`
  const env = { ...testGitEnvironment, GIT_INDEX_FILE: join(gitDir, "headrace-index"), GIT_WORK_TREE: folder }
  await mkdir(folder)
  await run("git", ["clone", "--quiet", "--bare", "--branch", REAL_BRANCH, bundle, gitDir], {
    env: testGitEnvironment,
  })
  const git = (...args: string[]) => run("git", [`--git-dir=${gitDir}`, ...args], { env })
  await git("read-tree", REAL_BRANCH)
  const { stdout } = await git("ls-files", ...NAMED)
  await git("checkout-index", "--force", "--", ...stdout.trim().split("\n"))
}
