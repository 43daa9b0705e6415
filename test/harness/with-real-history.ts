import { execFile } from "node:child_process"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { REAL_BRANCH, type RealMerge, realHistoryBundle, realMerges } from "./test-data.ts"

const run = promisify(execFile)

/** A bare repository with the real history, whose branch is wherever `moveTo` put it. */
export interface RealHistory {
  folder: string
  merges: readonly RealMerge[]
  moveTo(commit: string): Promise<void>
  git(...args: string[]): Promise<string>
}

export async function withRealHistory<T>(use: (history: RealHistory) => Promise<T>): Promise<T> {
  const parent = temporaryFolder("headrace-history-")
  const folder = join(parent, "test-infra.git")
  const git = async (...args: string[]) =>
    (await run("git", ["-C", folder, ...args], { maxBuffer: 64 * 2 ** 20 })).stdout
  try {
    await run("git", ["clone", "--quiet", "--bare", "--branch", REAL_BRANCH, realHistoryBundle(), folder])
    return await use({
      folder,
      merges: realMerges(),
      git,
      async moveTo(commit) {
        await git("update-ref", `refs/heads/${REAL_BRANCH}`, commit)
      },
    })
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}
