import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { KubeError } from "../kube/kube-error.ts"
import type { LeaseReader } from "../kube/lease-api.ts"
import { REPORT_ANNOTATION } from "../record/node-report.ts"
import type { Token } from "../record/record.ts"
import { compareTokens } from "../record/token.ts"
import { approveCommit } from "./operate/approve-commit.ts"
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

describe("a program whose clock is days behind", () => {
  const FILES = { "a/x.txt": "one", "b/y.txt": "one" }

  it("believes our own stamps where it begins a record, and goes back on none", async () => {
    let isForbidden = false
    const here = reconcileFixture(FILES, {
      changeKube: (kube) => ({
        ...kube,
        async get(namespace, name, signal) {
          if (isForbidden && namespace === "ci")
            throw new KubeError("kube/forbidden", "no rights", { status: 403 })
          return kube.get(namespace, name, signal)
        },
      }),
    })
    const { token } = await here.run()
    await here.kube.remove(await recordOf(here))
    Object.assign(here.ports, { clock: { ...here.ports.clock, now: () => FIXTURE_START - 3 * DAY } })
    for (const forbidden of [true, false, false]) {
      isForbidden = forbidden
      Object.assign(here.ports, { memory: createReconcileMemory() })
      await here.run()
    }
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    expect(Number(alpha.metadata.annotations?.["headrace.dev/epoch"])).toBeGreaterThan(token.epoch)
    expect(await here.record()).toMatchObject({ failed: [], foreign: [] })
  })
})

describe("a record that was put back while its source has to stop", () => {
  const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
  const FILES = Object.fromEntries(["a", "b"].flatMap((folder) => numbered(folder, 40, "x")))
  const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }

  function numbered<Value>(folder: string, count: number, value: Value): [string, Value][] {
    return Array.from({ length: count }, (_, index) => [`${folder}/${index}.txt`, value])
  }

  /** The record of before an approved deletion is put back, and then the branch goes on to what stops the source. */
  async function putBackAndStopped(reason: "guard" | "rules", settings = {}) {
    const here = reconcileFixture(FILES, { rules: RULES, settings: { guard: GUARD, ...settings } })
    await here.run()
    const backup = await recordOf(here)
    const second = here.commit({ ...Object.fromEntries(numbered("b", 30, undefined)), "a/1.txt": "second" })
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    await approveCommit(ports, second, quiet)
    const { token } = await here.run()
    await putBack(here, backup)
    const bad = reason === "rules" ? { "rules.yaml": "{" } : Object.fromEntries(numbered("a", 40, undefined))
    return { here, second, was: token, bad }
  }

  it.each([
    ["rules", "rules/invalid"],
    ["guard", "guard/deleted-keys"],
  ] as const)(
    "shows what was in force, in an epoch beyond it, and keeps it right: stopped by %s",
    async (reason, code) => {
      const { here, second, was, bad } = await putBackAndStopped(reason)
      here.commit(bad)
      const outcome = await here.run()
      expect(outcome).toMatchObject({ commit: second, stopped: { code }, failed: [] })
      expect(compareTokens(outcome.token, was)).toBeGreaterThan(0)
      expect(await here.data("alpha")).toMatchObject({ "1.txt": "second" })
      expect(Object.keys((await here.data("beta")) ?? {})).toHaveLength(10)
      const edited = (await here.kube.get("ci", "alpha")) as ConfigMap
      await here.kube.replace({ ...edited, data: { ...edited.data, "1.txt": "by hand" } })
      expect(await here.run("full")).toMatchObject({ commit: second, stopped: { code } })
      expect(await here.data("alpha")).toMatchObject({ "1.txt": "second" })
    },
  )

  it("is not stopped again for deletions that had been approved before the restore", async () => {
    const { here, second, was } = await putBackAndStopped("rules")
    const outcome = await here.run()
    expect(outcome).toMatchObject({ commit: second, stopped: null, failed: [] })
    expect(compareTokens(outcome.token, was)).toBeGreaterThan(0)
  })

  it("takes no stranger's stamp for what was in force", async () => {
    const { here, was, bad } = await putBackAndStopped("rules")
    here.commit(bad)
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    const forged = { "headrace.dev/epoch": String(was.epoch + 5) }
    const annotations = { ...alpha.metadata.annotations, ...forged }
    await here.kube.replace({ ...alpha, metadata: { ...alpha.metadata, annotations } })
    const before = (await here.record()).token
    expect(await here.run()).toMatchObject({ token: before, stopped: { code: "rules/invalid" } })
  })
})
