import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { until } from "./until.ts"
import { withFolder } from "./with-folder.ts"

const MODULE = join(import.meta.dirname, "../../config/local/end-with-process.ts")
/** Starts one process that it names to the guard and one that works in the folder, and prints their ids. */
const PARENT = `
import { spawn } from "node:child_process"
import { endChildWithProcess, endWithProcess } from ${JSON.stringify(MODULE)}
const [, folder, over] = process.argv
endWithProcess("folder", folder)
endWithProcess("folder", over)()
const named = endChildWithProcess(spawn("sleep", ["1000"]))
const inside = spawn("sleep", ["1000"], { cwd: folder })
const ended = endChildWithProcess(spawn("true"))
ended.once("close", () => console.log(JSON.stringify([named.pid, inside.pid])))
`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("what a process has started is gone after %s", (signal) =>
  withFolder(async (scratch) => {
    const [folder, over] = [join(scratch, "it's a folder"), join(scratch, "ended before")]
    mkdirSync(join(folder, "inside"), { recursive: true })
    mkdirSync(over)
    const args = ["--no-warnings", "--input-type=module", "-e", PARENT, folder, over]
    const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
    const [line] = await once(parent.stdout.setEncoding("utf8"), "data")
    const pids: number[] = JSON.parse(line)
    expect(pids.map(isAlive)).toEqual([true, true])
    parent.kill(signal)
    await until(() => !pids.some(isAlive) && !existsSync(folder))
    expect(existsSync(over)).toBe(true)
  }),
)
