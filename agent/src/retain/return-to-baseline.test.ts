import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { projectionOptions, revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import { withRetainedAlone } from "./open-retained.ts"
import { pin, shownRevision, unpin } from "./revisions.ts"

const NEVER = new AbortController().signal
const log = createLog("test", { level: "silent" })
const BASELINE = { token: { epoch: 0, seq: 1 }, root: "r1" }
const FAILED = { token: { epoch: 0, seq: 2 }, root: "r2", reason: "http[0]: answered 500" }
const OLD = revisionOf(1, { a: "old" })
const TRIED = { ...revisionOf(2, { a: "new" }), trial: BASELINE }

function shown(path: string): string {
  return fs.readFileSync(join(path, "a"), "utf8")
}

function noteOf(path: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(join(path, "..rev/published.json"), "utf8")) as Record<string, unknown>
}

/** A projection that shows a candidate. */
async function withTrial(use: (projection: OpenProjection, path: string) => Promise<void>): Promise<void> {
  await withProjection({}, async (projection, path) => {
    await projection.publish(OLD)
    await projection.publish(TRIED)
    await use(projection, path)
  })
}

function reopened(path: string): Promise<OpenProjection> {
  return openProjection(projectionOptions(path))
}

describe("a return to the baseline", () => {
  it("shows it again, refuses the candidate from then on, and ends with the trial", async () => {
    await withTrial(async (projection, path) => {
      expect(projection.baseline()).toEqual({ ...BASELINE, number: 1 })
      expect(await projection.returnToBaseline(FAILED)).toBe(true)
      expect(shown(path)).toBe("old")
      expect(projection.returned()).toMatchObject({ ...FAILED, number: 1 })
      await expect(projection.publish(TRIED)).rejects.toMatchObject({ code: "publish/returned" })
      expect(shown(path)).toBe("old")
      // The floor stays at the candidate: what is older is no way back to it either.
      expect(projection.floor()).toEqual(FAILED.token)
      await projection.endTrial()
      await projection.publish({ ...OLD, token: { epoch: 1, seq: 1 } })
      expect([projection.returned(), projection.baseline(), shown(path)]).toEqual([null, null, "old"])
    })
  })

  it("writes no new format of the note before a trial and after it", async () => {
    await withTrial(async (projection, path) => {
      expect(noteOf(path)).toMatchObject({ format: 3, baseline: { number: 1 } })
      await projection.endTrial()
      const note = noteOf(path)
      expect(note.format).toBe(2)
      expect(Object.keys(note)).not.toContain("returned")
    })
    await withProjection({}, async (projection, path) => {
      await projection.publish(OLD)
      expect(noteOf(path).format).toBe(2)
    })
  })

  it("outlives a restart, also one that came between the note and the link", async () => {
    await withTrial(async (projection, path) => {
      const link = fs.readlinkSync(join(path, "..data"))
      await projection.returnToBaseline(FAILED)
      await projection.close()
      // As a crash right after the note leaves it.
      fs.rmSync(join(path, "..data"))
      fs.symlinkSync(link, join(path, "..data"))
      expect(shown(path)).toBe("new")
      const again = await reopened(path)
      expect(shown(path)).toBe("old")
      expect(again.returned()).toMatchObject(FAILED)
      await again.close()
    })
  })

  it("keeps the baseline from being pruned while a candidate is shown", async () => {
    await withProjection({ keep: { revisions: 1, age: 0, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(OLD)
      await projection.publish(TRIED)
      for (const seq of [3, 4]) await projection.publish(revisionOf(seq, { a: `${seq}` }))
      await projection.settled()
      expect(fs.existsSync(join(path, "..rev/0001"))).toBe(true)
      await projection.endTrial()
      await projection.publish(revisionOf(5, { a: "5" }))
      await projection.settled()
      expect(fs.existsSync(join(path, "..rev/0001"))).toBe(false)
    })
  })

  it.each([
    ["gone", (slot: string) => fs.renameSync(slot, `${slot}-gone`)],
    [
      "damaged",
      (slot: string) => {
        fs.chmodSync(join(slot, "c1/a"), 0o644)
        fs.writeFileSync(join(slot, "c1/a"), "hacked")
      },
    ],
  ])("has the baseline published again where it is %s", async (_how, spoil) => {
    await withTrial(async (projection, path) => {
      // Until then copies take the places of replaced files.
      await projection.settled()
      spoil(join(path, "..rev/0001"))
      expect(await projection.returnToBaseline(FAILED)).toBe(false)
      expect(shown(path)).toBe("new")
      await expect(projection.publish(OLD)).rejects.toMatchObject({ code: "publish/returned" })
      await projection.publish({ ...OLD, returns: BASELINE })
      expect(shown(path)).toBe("old")
      const number = projection.current()?.number
      expect(projection.returned()).toMatchObject({ ...FAILED, number })
      expect(projection.floor()).toEqual(FAILED.token)
      await projection.close()
      const again = await reopened(path)
      expect(shown(path)).toBe("old")
      await again.close()
    })
  })

  it("leaves a projection that an operator has pinned where it is", async () => {
    await withTrial(async (projection, path) => {
      const place = { path, log, signal: NEVER }
      await withRetainedAlone(place, (retained) => pin(retained, shownRevision(retained), "incident 42"))
      expect(await projection.returnToBaseline(FAILED)).toBe(true)
      expect([shown(path), projection.returned(), projection.pinned()]).toEqual(["new", null, "incident 42"])
    })
  })

  it("is lifted by an operator who unpins", async () => {
    await withTrial(async (projection, path) => {
      await projection.returnToBaseline(FAILED)
      expect(await withRetainedAlone({ path, log, signal: NEVER }, unpin)).toBe(true)
      expect(projection.returned()).toBe(null)
      await projection.publish(TRIED)
      expect(shown(path)).toBe("new")
    })
  })
})
