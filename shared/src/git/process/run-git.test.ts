import { describe, expect, it } from "vitest"
import { runGit } from "./run-git.ts"

describe("runGit", () => {
  it("ends what a git that died has left behind, and does not wait for it", async () => {
    const orphan = "alias.orphan=!sleep 60 & kill -9 $PPID"
    const run = runGit({ args: ["-c", orphan, "orphan"], timeout: 300 })
    await expect(run).rejects.toMatchObject({ code: "git/timeout" })
  }, 50_000)
})
