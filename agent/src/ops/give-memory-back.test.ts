import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { programText } from "./give-memory-back.ts"

it("finds the executable parts of a program, and nothing that can differ from its file", () => {
  const maps = [
    "00400000-00452000 r--p 00000000 08:02 173521      /usr/bin/node",
    "00452000-00500000 r-xp 00052000 08:02 173521      /usr/bin/node",
    "00651000-00652000 rw-p 00051000 08:02 173521      /usr/bin/node",
    "7f0000000000-7f0000001000 r-xp 00000000 08:02 9    /usr/lib/libc.so.6",
    "7f0000002000-7f0000003000 r-xp 00000000 00:00 0    [vdso]",
    "",
  ].join("\n")
  expect(programText(maps, "/usr/bin/node")).toEqual([{ start: 0x452000n, end: 0x500000n }])
  expect(programText(readFileSync("/proc/self/maps", "utf8"), process.execPath)).not.toEqual([])
})

it("gives back what was unpacked and the text of the program, which runs on", async () => {
  const program = `
    import { readFileSync } from "node:fs"
    import { createMemoryReturn, keepHeapSmall } from ${JSON.stringify(join(import.meta.dirname, "give-memory-back.ts"))}
    keepHeapSmall()
    const memory = createMemoryReturn()
    const held = (line) => Number(new RegExp(line + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1])
    let garbage = Buffer.alloc(64 * 1024 * 1024, 1)
    const before = { all: held("VmRSS"), file: held("RssFile") }
    garbage = undefined
    memory.used()
    setTimeout(() => console.log(JSON.stringify({ before, after: { all: held("VmRSS"), file: held("RssFile") } })), 2000)
  `
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=source",
    "--input-type=module",
    "--eval",
    program,
  ])
  const { before, after } = JSON.parse(stdout)
  expect(after.all).toBeLessThan(before.all - 64 * 1024)
  expect(after.file).toBeLessThan(before.file)
})

it("keeps what is read and dropped from piling up", async () => {
  const program = `
    import { readFileSync } from "node:fs"
    import { setImmediate as turn } from "node:timers/promises"
    import { createMemoryReturn, keepHeapSmall } from ${JSON.stringify(join(import.meta.dirname, "give-memory-back.ts"))}
    keepHeapSmall()
    const memory = createMemoryReturn()
    const most = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1])
    memory.read(8 * 1024 * 1024)
    const before = most()
    for (let read = 0; read < 256; read++) {
      memory.read(Buffer.alloc(1024 * 1024, read).length)
      await turn()
    }
    console.log((most() - before) * 1024)
  `
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=source",
    "--input-type=module",
    "--eval",
    program,
  ])
  expect(Number(stdout)).toBeLessThan(24 * 1024 * 1024)
})
