import { execFile, spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"

const RECIPE = fileURLToPath(new URL("../../docs/recipes/reload-haproxy.sh", import.meta.url))
const run = promisify(execFile)
const missing = process.platform === "linux" ? undefined : "reads /proc of Linux"

/** Starts a worker at the second SIGUSR2, as haproxy's master does that was still starting again at the first. */
const MASTER = `
let signals = 0
process.on("SIGUSR2", () => {
  signals += 1
  console.log(signals)
  if (signals === 2) require("node:child_process").spawn("sleep", ["1000"])
})
require("node:child_process").spawn("sleep", ["1000"])
setInterval(() => {}, 1000)
console.log("runs")
`

describe.skipIf(missing)(`the recipe that reloads haproxy${whySkipped(missing)}`, () => {
  it("sends the signal again until a new worker runs", async () => {
    await withFolder(async (folder) => {
      const master = spawn(process.execPath, ["--eval", MASTER], {
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
      })
      try {
        const lines = createInterface({ input: master.stdout })[Symbol.asyncIterator]()
        expect((await lines.next()).value).toBe("runs")
        await writeFile(join(folder, "pid"), `${master.pid}\n`)

        await run("sh", [RECIPE, join(folder, "pid")])

        expect([(await lines.next()).value, (await lines.next()).value]).toEqual(["1", "2"])
      } finally {
        process.kill(-(master.pid ?? 0), "SIGKILL")
      }
    })
  })
})
