import { execFile, spawnSync } from "node:child_process"
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")
const NODE = join(ROOT, "node_modules/node/bin/node")
/** What a laptop has, whatever its system. flock(1) of util-linux is not among them. */
const PROGRAMS = ["git", "redis-server", "sh", "sync"]

const canHide = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0
const reason = canHide ? undefined : "only root can hide /proc"

/** Runs one of our sources where koffi, flock(1) and /proc are hidden, as on a system that is not Linux. */
async function runHidden(folder: string, file: string, ...args: string[]): Promise<string> {
  const bin = join(folder, "bin")
  await mkdir(bin, { recursive: true })
  for (const name of PROGRAMS) {
    const path = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim()
    await symlink(path, join(bin, name)).catch(() => undefined)
  }
  const script = `mount -t tmpfs tmpfs /proc && PATH=${bin} HEADRACE_NO_NATIVE=1 exec "$@"`
  const program = [NODE, "--conditions=source", "--no-warnings", join(ROOT, file), ...args]
  const { stdout } = await run("unshare", ["--mount", "sh", "-c", script, "sh", ...program], { cwd: folder })
  return stdout
}

describe.skipIf(!canHide)(
  `without native calls, flock and /proc${whySkipped(reason)}`,
  { timeout: 180_000 },
  () => {
    it("the demo runs to its end", async () => {
      await withFolder(async (folder) => {
        const shown = JSON.parse(await runHidden(folder, "config/local/demo.ts", "--json")) as {
          files: number
        }
        expect(shown.files).toBe(1)
      })
    })

    it("the agent publishes, and publishes again", async () => {
      await withFolder(async (folder) => {
        const [from, to] = [join(folder, "from"), join(folder, "to")]
        await mkdir(from)
        for (const text of ["one", "two"]) {
          for (let file = 0; file < 40; file += 1) await writeFile(join(from, `f${file}`), text)
          await runHidden(folder, "agent/src/main.ts", "publish", "--from", from, "--to", to)
          expect(await readFile(join(to, "f39"), "utf8")).toBe(text)
        }
      })
    })
  },
)
