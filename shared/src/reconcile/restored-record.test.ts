import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import type { LeaseReader } from "../kube/lease-api.ts"
import { REPORT_ANNOTATION } from "../record/node-report.ts"
import type { Token } from "../record/record.ts"
import { compareTokens } from "../record/token.ts"
import { rewindSource } from "./operate/hold-source.ts"
import { noteNodeTokens, readRecordInForce } from "./operate/notice-put-back.ts"
import { createReconcileMemory } from "./run/memory.ts"

const DAY = 24 * 3_600_000
const PLACE = { cluster: "east", source: "release" }

/** A source that was rewound after the backup, and whose record is the backup again. */
async function restored() {
  const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "one" })
  await here.run()
  const first = here.repository.tip()
  here.commit({ "a/x.txt": "two" })
  await here.run()
  const backup = await recordOf(here)
  await rewind(here, first)
  const { token } = await here.run()
  await putBack(here, backup)
  return { here, was: token }
}

async function recordOf(here: ReconcileFixture): Promise<ConfigMap> {
  return (await here.kube.get("headrace", "release")) as ConfigMap
}

async function putBack(here: ReconcileFixture, backup: ConfigMap): Promise<void> {
  const { resourceVersion = "" } = (await recordOf(here)).metadata
  await here.kube.replace({ ...backup, metadata: { ...backup.metadata, resourceVersion } })
}

async function rewind(here: ReconcileFixture, commit: string, atLeast = 0) {
  const hold = { commit, by: "someone", reason: "", until: null, atLeast }
  const { namespace } = here.ports.settings
  return rewindSource({ ...here.ports, namespace, source: "release" }, hold, quiet)
}

/** Agents that report these tokens of the record. */
function nodesAt(...tokens: Token[]): LeaseReader {
  const reports = tokens.map((token, at) => ({
    format: 1,
    node: `node-${at}`,
    record: "headrace/release",
    projections: [{ name: "p", path: "/p", revision: "c".repeat(40), token, since: null, problem: null }],
    more: 0,
    lowest: token,
  }))
  return {
    async listLeases(namespace) {
      if (namespace !== "headrace") return []
      return reports.map((report) => ({
        namespace,
        name: report.node,
        annotations: { [REPORT_ANNOTATION]: JSON.stringify(report) },
        holder: report.node,
        renewed: FIXTURE_START,
        duration: 60_000,
      }))
    },
  }
}

describe("a record from before a rewind that was put back", () => {
  it("is noticed by a process that saw what was in force, which begins an epoch beyond", async () => {
    const { here, was } = await restored()
    expect((await readRecordInForce(here.ports, PLACE, quiet))?.isPutBack).toBe(true)
    const { result, token, failed } = await here.run()
    expect({ result, failed }).toEqual({ result: "applied", failed: [] })
    expect(token.epoch).toBeGreaterThan(was.epoch)
    // All that the backup shows, with nothing left of the time after it.
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
    expect((await here.kube.get("ci", "alpha"))?.metadata.annotations?.["headrace.dev/epoch"]).toBe(
      String(token.epoch),
    )
    expect((await readRecordInForce(here.ports, PLACE, quiet))?.isPutBack).toBe(false)
    expect(await here.run()).toMatchObject({ result: "noop" })
  })

  it("is noticed by a process that has just begun, from what nodes report", async () => {
    const { here, was } = await restored()
    Object.assign(here.ports, { memory: createReconcileMemory() })
    expect((await readRecordInForce(here.ports, PLACE, quiet))?.isPutBack).toBe(false)
    await noteNodeTokens(here.ports, nodesAt({ epoch: 0, seq: 1 }, was), PLACE, quiet)
    expect((await readRecordInForce(here.ports, PLACE, quiet))?.isPutBack).toBe(true)
    const { token } = await here.run()
    expect(compareTokens(token, was)).toBeGreaterThan(0)
    expect(token.epoch).toBeGreaterThan(was.epoch)
  })
})

describe("a report of a node", () => {
  it("counts up to a day ahead of now; beyond that an operator's word goes beyond it", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const { token } = await here.run()
    const far = { epoch: FIXTURE_START + 2 * DAY, seq: 1 }
    await noteNodeTokens(here.ports, nodesAt(far, { epoch: 900_000_000_000_000, seq: 1 }), PLACE, quiet)
    expect(await here.run("full")).toMatchObject({ token })
    await rewind(here, here.repository.tip(), far.epoch + 1)
    expect((await here.run()).token.epoch).toBe(far.epoch + 1)
  })

  it("of today, that no record knows, leads to an epoch beyond it", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const near = { epoch: FIXTURE_START + DAY, seq: 7 }
    await noteNodeTokens(here.ports, nodesAt(near), PLACE, quiet)
    expect((await here.run("full")).token.epoch).toBe(near.epoch + 1)
  })
})

it("does not let a clock that was ahead outlast the record that it made", async () => {
  const here = reconcileFixture({ "a/x.txt": "one" })
  let now = FIXTURE_START + 365 * DAY
  Object.assign(here.ports, { clock: { now: () => now, sleep: async () => {} } })
  expect((await here.run()).token.epoch).toBe(now)
  now = FIXTURE_START
  await here.kube.remove(await recordOf(here))
  for (const mode of ["incremental", "full", "full"] as const) {
    expect(await here.run(mode)).toMatchObject({ failed: [], token: { epoch: FIXTURE_START } })
  }
  expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
})
