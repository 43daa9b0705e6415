import { join } from "node:path"
import { expect, it } from "vitest"
import { runMarked } from "../harness/run-marked.ts"

const DEMO = join(import.meta.dirname, "../../config/local/demo.ts")

it("the demo shows a merge on disk, prints its timeline, ends with 0 and leaves nothing running", async () => {
  const run = runMarked(["--conditions=source", "--no-warnings", DEMO, "--json"])

  expect(await run.ended, run.errors()).toBe(0)
  const result = JSON.parse(run.output().trim().split("\n").at(-1) ?? "")
  expect(Object.keys(result)).toEqual([
    "revision",
    "seq",
    "accepted_ms",
    "written_ms",
    "recorded_ms",
    "published_ms",
    "files",
  ])
  expect(result.revision).toMatch(/^[0-9a-f]{40}$/)
  expect(result.seq).toBe(3)
  expect(result.files).toBe(1)
  expect(result.published_ms).toBeGreaterThan(0)
  expect(run.errors()).toContain("+   interval: 12h")
  expect(run.alive()).toEqual([])
})
