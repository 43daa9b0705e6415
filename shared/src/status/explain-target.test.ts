import { explainTarget, isShownEverywhere } from "@headrace/shared/status/explain-target"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import {
  CONTEXT,
  type Fault,
  factsOf,
  NEW,
  NODE_BEFORE,
  NOW,
  OLD,
  RECORD_BEFORE,
} from "@headrace/test/harness/faulty-fleet"
import { expect, it } from "vitest"

function explained(fault: Fault, files: number | null = 50) {
  const facts = factsOf(fault)
  const [place] = facts.clusterSources
  if (place === undefined) throw new Error("no place")
  const target = {
    ...{ cluster: "east", source: "release", isPlanned: true, isView: true, exists: true, files },
    stamp: { source: "release", commit: OLD },
    isShown: isShownEverywhere(place, "jobs", NOW),
  }
  return explainTarget(judgeFleet(facts, CONTEXT), "jobs", [target], [])
}

const PINNED = {
  code: "publish/pinned",
  message: "an operator keeps it there",
  since: "2026-11-28T13:00:00Z",
}
const STOPPED = { code: "guard/deleted-keys", message: "50 of 50 keys would go", commit: NEW, judged: null }

it.each<[string, Fault]>([
  ["a node that an operator has pinned", { node: { ...NODE_BEFORE, problem: PINNED } }],
  ["a node that is silent", { node: "dead" }],
  ["a deletion that the guard holds", { record: { ...RECORD_BEFORE, stopped: STOPPED as never } }],
])("is not well with %s", (_, fault) => {
  const { level, answer } = explained(fault)
  expect(level).toBe("trouble")
  expect(answer).toContain("50 files as of")
})

it("is well where the record and every node have it", () => {
  expect(explained({})).toMatchObject({ level: "well", answer: "as the rules want it everywhere" })
})
