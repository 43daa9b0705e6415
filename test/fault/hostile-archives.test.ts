import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"

/** `HEADRACE_FUZZ_RUNS=20000` is the long form. */
const RUNS = Number(process.env.HEADRACE_FUZZ_RUNS ?? 150)
const SEED = Number(process.env.HEADRACE_SEED ?? 7)
const PROGRAM = join(import.meta.dirname, "hostile-archives-process.ts")
/**
 * Bombs of the corpus unpack to 960 MiB. What is allowed: the largest honest object, 32 MiB, gathered in chunks and
 * then joined, and the 64 MiB of garbage outside the heap that V8 waits for.
 */
const BOUND_BYTES = 256 * 1024 * 1024

it("unpacks no hostile archive, writes nothing, and stays within its memory", {
  timeout: 600_000,
}, async () => {
  await withFolder(async (folder) => {
    const args = ["--conditions=source", PROGRAM, String(RUNS), String(SEED)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
    const { refused, grown } = JSON.parse(stdout)
    process.stdout.write(
      `${RUNS} hostile archives (seed ${SEED}): the process grew by ${Math.round(grown / 1e6)} MB\n`,
    )
    expect(refused).toBeGreaterThan(RUNS)
    expect(grown).toBeLessThan(BOUND_BYTES)
    expect(readdirSync(folder)).toEqual([])
  })
})
