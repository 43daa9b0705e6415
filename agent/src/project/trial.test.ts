import { HeadraceError } from "@headrace/shared/foundation/errors"
import { newRecord, type SourceRecord } from "@headrace/shared/record/record"
import { candidateOf } from "@headrace/test/harness/write-candidate"
import { describe, expect, it } from "vitest"
import { type Inputs, NO_INPUTS } from "../assemble/inputs.ts"
import type { HealthState } from "../health/judge-health.ts"
import type { Returned } from "../store/note.ts"
import { isRefusal, showSteps } from "./trial.ts"

const BASELINE = { token: { epoch: 1, seq: 1 }, root: "1".repeat(64) }
const TRIED = candidateOf({ seq: 2, epoch: 1, targets: {} })
const FAILED: Returned = { token: TRIED.token, root: TRIED.root ?? "", number: 1, reason: "down", since: "" }
const atRest: SourceRecord = {
  ...newRecord("release", BASELINE.token),
  root: BASELINE.root,
  commit: TRIED.commit,
}

function inputs(record?: SourceRecord): Inputs {
  return record === undefined ? NO_INPUTS : { ...NO_INPUTS, record }
}

/** A folder that shows number 1, and what was asked of it. */
function folderAt(seq: number, state: { returned?: Returned; baseline?: boolean; damaged?: boolean } = {}) {
  const asked: string[] = []
  let returned = state.returned ?? null
  const baseline = state.baseline ? { ...BASELINE, number: 1 } : null
  return {
    asked,
    floor: () => ({ epoch: 1, seq }),
    current: () => ({ number: 1 }) as never,
    examine: async () => (state.damaged ? ("damaged" as const) : ("right" as const)),
    baseline: () => baseline,
    returned: () => returned,
    async returnToBaseline(failed: Pick<Returned, "token" | "root" | "reason">) {
      asked.push(`return: ${failed.reason}`)
      returned = { ...failed, number: 1, since: "" }
      return true
    },
    async endTrial() {
      asked.push("end")
      returned = null
    },
  }
}

function failing(of: { token: { epoch: number; seq: number }; root: string | null }): HealthState {
  const revision = { projection: "p", path: "/p", revision: "r", isCandidate: true, ...of }
  const problem = { check: "http[0]", message: "answered 500", since: "" }
  return { of: revision, checks: "failing", problem, passes: new Map() }
}

const CHOSEN = { takes: true, health: undefined }

describe("what a projection shows of a record", () => {
  it("is its revision, and costs the store nothing, while there is no rollout", async () => {
    const folder = folderAt(1)
    const steps = await showSteps(folder, inputs(atRest), CHOSEN)
    expect(steps).toEqual([{ inputs: inputs(atRest), revision: BASELINE, isCandidate: false }])
    expect(folder.asked).toEqual([])
  })

  it("is the baseline first and then the candidate, where this node takes it", async () => {
    const record = { ...atRest, candidate: TRIED }
    const [first, second, ...others] = await showSteps(folderAt(0), inputs(record), CHOSEN)
    expect(first).toMatchObject({ revision: BASELINE, isCandidate: false })
    expect(second).toMatchObject({
      ...{ revision: { token: TRIED.token, root: TRIED.root }, isCandidate: true, trial: BASELINE },
      inputs: { record: { token: TRIED.token, root: TRIED.root, commit: TRIED.commit } },
    })
    expect(others).toEqual([])
    expect(await showSteps(folderAt(0), inputs(record), { ...CHOSEN, takes: false })).toHaveLength(1)
  })

  it("stays the candidate where it is shown already, whatever the choice says now", async () => {
    const record = { ...atRest, candidate: TRIED }
    const steps = await showSteps(folderAt(2), inputs(record), { ...CHOSEN, takes: false })
    expect(steps).toMatchObject([{ isCandidate: true }])
    expect(steps[0]).not.toHaveProperty("trial")
  })

  it("is the baseline again once a check of exactly this candidate fails", async () => {
    const record = { ...atRest, candidate: TRIED }
    const folder = folderAt(2)
    expect(await showSteps(folder, inputs(record), { takes: true, health: failing(TRIED) })).toEqual([])
    expect(folder.asked).toEqual(["return: http[0]: answered 500"])
    // Of the revision before, or of another root of the same token.
    for (const revision of [BASELINE, { ...TRIED, root: "9".repeat(64) }]) {
      const other = folderAt(2)
      await showSteps(other, inputs(record), { takes: true, health: failing(revision) })
      expect(other.asked).toEqual([])
    }
  })

  it("is read again from the store where what it went back to is damaged", async () => {
    const record = { ...atRest, candidate: TRIED }
    const folder = folderAt(2, { returned: FAILED, damaged: true })
    expect(await showSteps(folder, inputs(record), CHOSEN)).toMatchObject([
      { isCandidate: false, returns: BASELINE },
    ])
  })

  it("follows the record again when it names another revision, and not before it was read", async () => {
    const other = { ...TRIED, token: { epoch: 2, seq: 3 } }
    for (const record of [atRest, { ...atRest, candidate: other }]) {
      const folder = folderAt(2, { returned: FAILED, baseline: true })
      await showSteps(folder, inputs(record), CHOSEN)
      expect(folder.asked).toEqual(["end"])
    }
    const unread = folderAt(2, { returned: FAILED, baseline: true })
    await showSteps(unread, inputs(), CHOSEN)
    expect(unread.asked).toEqual([])
  })

  it("knows a verdict of the revision from a failure on the way to it", () => {
    expect(isRefusal(new HeadraceError("projection/vetoed", "no"))).toBe(true)
    expect(isRefusal(new HeadraceError("store/missing", "not there"))).toBe(false)
    expect(isRefusal(new Error("down"))).toBe(false)
  })
})
