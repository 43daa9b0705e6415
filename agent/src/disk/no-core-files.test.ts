import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { isInMemory } from "./in-memory.ts"
import { throughKoffi } from "./native-calls.ts"

it.runIf(throughKoffi())(
  `leaves no core file, and goes on working through its own open folders${whySkipped(throughKoffi() ? undefined : "koffi is not installed")}`,
  async () => {
    await withFolder((folder) => {
      const module = join(import.meta.dirname, "no-core-files.ts")
      const script = `
      import { readFileSync, openSync, readdirSync } from "node:fs"
      const { forbidCoreFiles } = await import(${JSON.stringify(module)})
      console.log(forbidCoreFiles())
      console.log(/^Max core file size +0 +0/m.test(readFileSync("/proc/self/limits", "utf8")))
      console.log(readdirSync("/proc/self/fd/" + openSync("/", "r")).length > 0)
      process.abort()`
      const args = ["--conditions=source", "--input-type=module", "--eval", script]
      const ended = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })
      expect(ended.stdout).toBe("true\ntrue\ntrue\n")
      expect(ended.signal).toBe("SIGABRT")
      expect(readdirSync(folder)).toEqual([])
    })
  },
)

it("knows a file system in memory, also before the folder is made", () => {
  if (existsSync("/dev/shm")) expect(isInMemory("/dev/shm/not/there")).toBe(true)
  expect(isInMemory(import.meta.dirname)).toBe(false)
})
