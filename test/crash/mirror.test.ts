import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { withRepo } from "../harness/with-repo.ts"

const KILLS = process.env.HEADRACE_CRASH === "long" ? 40 : 6
const log = createLog("test", { level: "silent" })

it(
  "a mirror whose program is killed at any instant is taken over, whole and in the same folder",
  { timeout: 600_000 },
  () =>
    withRepo(async (repo) => {
      const folder = join(repo.scratch, "mirrors")
      for (let kill = 0; kill < KILLS; kill++) {
        const changes = Array.from({ length: 120 }, (_, index) => [`f${index}`, randomBytes(4000)])
        const commit = await repo.commit(Object.fromEntries(changes))
        await killAfter(repo.folder, folder, (kill * 37) % 150)

        const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
        try {
          expect(await mirror.fetch()).toEqual({ commit, seq: kill + 2 })
          const { files } = await mirror.tree(commit)
          const blobs = await mirror.blobs(files.map((file) => file.oid))
          expect(Object.fromEntries(files.map((file, index) => [file.path, blobs[index]]))).toEqual(
            Object.fromEntries(changes),
          )
        } finally {
          await mirror.close()
        }
        expect(await readdir(folder)).toEqual(["m.git"])
      }
    }),
)

/** Starts the fetching program, and kills it `milliseconds` after it opened the mirror. */
async function killAfter(url: string, folder: string, milliseconds: number): Promise<void> {
  const script = join(import.meta.dirname, "fetch-until-killed.ts")
  const child = spawn(process.execPath, ["--conditions=source", script, url, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const closed = once(child, "close")
  await once(child.stdout, "data")
  await sleep(milliseconds)
  expect(child.exitCode).toBeNull()
  child.kill("SIGKILL")
  await closed
}
