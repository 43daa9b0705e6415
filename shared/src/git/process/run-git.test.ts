import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { runGit } from "./run-git.ts"

describe("runGit", () => {
  it("ends what a git that died has left behind, and does not wait for it", async () => {
    const orphan = "alias.orphan=!sleep 60 & kill -9 $PPID"
    const run = runGit({ args: ["-c", orphan, "orphan"], timeout: 300 })
    await expect(run).rejects.toMatchObject({ code: "git/timeout" })
  }, 50_000)
})

it("runs git, and reads objects, although the folder that this process was started in was removed", async () => {
  await withRepo(async (repo) => {
    const commit = await repo.commit({ x: "1" })
    const place = (file: string) => JSON.stringify(join(import.meta.dirname, file))
    const program = `
      import { mkdirSync, rmdirSync } from "node:fs"
      import { runGit } from ${place("run-git.ts")}
      import { ObjectReader } from ${place("../objects/object-reader.ts")}
      const [gitDir, folder] = process.argv.slice(-2)
      mkdirSync(folder)
      process.chdir(folder)
      rmdirSync(folder)
      const { stdout } = await runGit({ args: ["rev-parse", "HEAD"], gitDir })
      const reader = new ObjectReader(gitDir, "sizes")
      const [found] = await reader.read(["HEAD"])
      reader.close()
      console.log(String(stdout).trim(), found.oid)
    `
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...["--conditions=source", "--input-type=module", "--eval", program],
      ...[join(repo.folder, ".git"), join(repo.scratch, "started-in")],
    ])
    expect(stdout).toBe(`${commit} ${commit}\n`)
  })
})
