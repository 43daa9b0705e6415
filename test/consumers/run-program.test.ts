import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { describe, expect, it } from "vitest"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { measure } from "./measure.ts"
import { openSite } from "./site.ts"

const RUNNER = `
import { runQuiet } from ${JSON.stringify(new URL("run-program.ts", import.meta.url).href)}
const { pid } = runQuiet({ command: "sh", args: ["-c", "sleep 1000 & wait"] })
console.log(pid)
`

/** The processes of a group, by the fifth field of proc(5)'s `stat`. */
function processesOf(group: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => groupOf(pid) === group)
}

function groupOf(pid: number): number | undefined {
  try {
    const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")
    const [state, , group] = fields.split(" ")
    return state === "Z" ? undefined : Number(group)
  } catch {
    return undefined
  }
}

const missing = process.platform === "linux" ? undefined : "reads /proc of Linux"

describe.skipIf(missing)(`programs of a test${whySkipped(missing)}`, () => {
  it("end with all that they have started when the test's process is killed", async () => {
    const args = ["--conditions=source", "--no-warnings", "--input-type=module", "--eval", RUNNER]
    const runner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
    const [line] = await once(createInterface({ input: runner.stdout }), "line")
    const group = Number(line)
    await until(() => processesOf(group).length === 2)

    runner.kill("SIGKILL")

    await until(() => processesOf(group).length === 0)
  })

  it("end when the test times out, and nothing is published after that", async () => {
    await withFolder(async (folder) => {
      const timeout = new AbortController()
      let published = 0
      let isStopped = false
      const site = await openSite("silent", folder)
      const publish = async (seq: number) => {
        published = seq
        await site.publish(seq)
        if (seq === 3) timeout.abort(new Error("timed out"))
      }
      const deaf = {
        name: "deaf",
        needs: [],
        through: ["a flat file"] as const,
        start: async (_: unknown, report: (row: string, reading: number) => void) => {
          report("deaf, a flat file", 1)
          return {
            stop: async () => {
              isStopped = true
            },
          }
        },
      }

      const measured = measure({
        site: { ...site, publish },
        consumers: [{ consumer: deaf, through: deaf.through }],
        paced: 1000,
        flips: 0,
        limit: 1,
        signal: timeout.signal,
      })

      await expect(measured).rejects.toThrow("timed out")
      expect({ published, isStopped }).toEqual({ published: 3, isStopped: true })
    })
  })
})
