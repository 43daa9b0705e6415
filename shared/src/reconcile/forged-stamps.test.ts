import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { newRecord, RECORD_FORMAT } from "../record/record.ts"
import { recordConfigMap } from "../record/record-config-map.ts"
import { adoptTarget } from "./operate/adopt-target.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"

const DAY = 24 * 3_600_000
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
const PROW = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
const FILES = { "a/x.txt": "1", "b/y.txt": "1" }

/** What a stranger writes over our annotations on alpha, without their prefix; undefined takes one off. */
const FORGERIES: { [what: string]: { [name: string]: string | undefined } } = {
  "an epoch that no clock has, and a commit that is no id": { epoch: "900000000000000", commit: "x" },
  "an epoch that no clock has, and a commit that is not there": {
    epoch: "900000000000000",
    commit: "a".repeat(40),
  },
  "the largest epoch": { epoch: "1000000000000000" },
  "an epoch beyond the largest": { epoch: "1000000000000001" },
  "an epoch in another notation": { epoch: "1e15" },
  "a negative epoch": { epoch: "-1" },
  "a fraction": { epoch: "1.5" },
  "no number": { epoch: "NaN" },
  "a count that is not the commit's": { seq: "900000000000000" },
  "a negative count": { seq: "-7" },
  "a count below the commit's": { seq: "0" },
  "a commit that is no id": { commit: "x" },
  "an option for a commit": { commit: "--all" },
  "a commit that the mirror does not have": { commit: "a".repeat(40) },
  "an epoch of today, and a commit that the mirror does not have": {
    epoch: String(FIXTURE_START + 1),
    commit: "a".repeat(40),
  },
  "an epoch more than a day ahead": { epoch: String(FIXTURE_START + 2 * DAY) },
  "a rules commit that is no id": { "rules-commit": "x" },
  "a rules commit that is not there": { "rules-commit": "b".repeat(40) },
  "another source": { source: "other" },
  "no source": { source: undefined },
  "no commit": { commit: undefined },
  "a format that is a fraction": { format: "1.5" },
  "an empty format": { format: "" },
  "a format that is no number": { format: "x" },
  "a negative format": { format: "-1" },
  "a format in another notation": { format: "1e3" },
  "no format": { format: undefined },
}
/** What a newer Headrace may have written, where no record says otherwise. */
const NEWER: typeof FORGERIES = {
  "the next format": { format: "2" },
  "a format far ahead": { format: "99" },
  "the next format, and an epoch that no clock has": { format: "2", epoch: "900000000000000" },
  "the next format, and another source": { format: "2", source: "other" },
}

async function forge(here: ReconcileFixture, forgery: { [name: string]: string | undefined }) {
  const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
  const annotations: Record<string, string> = { ...alpha.metadata.annotations }
  for (const [name, value] of Object.entries(forgery)) {
    if (value === undefined) delete annotations[`headrace.dev/${name}`]
    else annotations[`headrace.dev/${name}`] = value
  }
  await here.kube.replace({ ...alpha, metadata: { ...alpha.metadata, annotations } })
}

async function annotationsOf(here: ReconcileFixture, name: string) {
  return (await here.kube.get("ci", name))?.metadata.annotations
}

describe.each(Object.entries({ ...FORGERIES, ...NEWER }))("a stranger's stamp: %s", (_, forgery) => {
  it.each(["keep", "remove"] as const)(
    "has no say, is repaired and counted, with keys to %s",
    async (foreignKeys) => {
      const here = reconcileFixture(FILES, { rules: RULES, settings: { foreignKeys } })
      await here.run()
      const { token } = await here.record()
      const marks = await annotationsOf(here, "alpha")
      await forge(here, forgery)

      const found = await here.run("full")
      expect(found).toMatchObject({ stopped: null, failed: [], token })
      expect(found.foreign).toMatchObject([{ target: "ci/alpha", writer: "unknown" }])
      expect(await annotationsOf(here, "alpha")).toEqual(marks)
      expect((await here.record()).token).toEqual(token)

      // And on the way of a change, to that target and to another one, in a process that begins.
      await forge(here, forgery)
      here.commit({ "a/x.txt": "2", "b/y.txt": "2" })
      Object.assign(here.ports, { memory: createReconcileMemory() })
      const changed = await here.run()
      const next = { epoch: token.epoch, seq: token.seq + 1 }
      expect(changed).toMatchObject({ result: "applied", stopped: null, failed: [], token: next })
      expect(changed.foreign).toMatchObject([{ target: "ci/alpha" }])
      expect([await here.data("alpha"), await here.data("beta")]).toEqual([
        { "x.txt": "2" },
        { "y.txt": "2" },
      ])
      for (const name of ["alpha", "beta"]) {
        expect(await annotationsOf(here, name)).toMatchObject({
          "headrace.dev/epoch": String(next.epoch),
          "headrace.dev/seq": String(next.seq),
          "headrace.dev/commit": here.repository.tip(),
          "headrace.dev/source": "release",
        })
      }
      expect((await here.run("full")).foreign).toEqual([])
    },
  )
})

describe.each(Object.entries(FORGERIES))("without a record, a stranger's stamp: %s", (_, forgery) => {
  it("gives nothing to a record that begins", async () => {
    const here = reconcileFixture(FILES, { rules: RULES })
    await here.run()
    await forge(here, forgery)
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    let now = FIXTURE_START
    Object.assign(here.ports, { clock: { now: () => now, sleep: async () => {} } })
    now += 1000
    const found = await here.run()
    expect(found).toMatchObject({ result: "applied", stopped: null, failed: [] })
    expect(found.token.epoch).toBe(FIXTURE_START + 1000)
    expect((await here.run("full")).failed).toEqual([])
  })
})

describe.each(Object.entries(NEWER))("without a record, a stamp of a newer format: %s", (_, newer) => {
  it.each(["lost", "blank"])("is believed, and last good stays (%s)", async (state) => {
    const here = reconcileFixture(FILES, { rules: RULES })
    await here.run()
    await forge(here, newer)
    const record = (await here.kube.get("headrace", "release")) as ConfigMap
    await here.kube.remove(record)
    if (state === "blank") {
      const blank = recordConfigMap("headrace", newRecord("release", { epoch: FIXTURE_START, seq: 0 }))
      await here.kube.create(blank)
    }
    const marks = await annotationsOf(here, "alpha")
    here.commit({ "a/x.txt": "2", "b/y.txt": "2" })
    // The first run begins a record, which lists what it left alone: the runs after it leave it alone, too.
    for (const mode of ["incremental", "full", "incremental"] as const) {
      const { failed, foreign } = await here.run(mode)
      expect(failed.map(({ reason }) => reason.split(":")[0])).toEqual(["reconcile/newer-format"])
      expect(foreign).toEqual([])
      expect(await annotationsOf(here, "alpha")).toEqual(marks)
      Object.assign(here.ports, { memory: createReconcileMemory() })
    }
    expect([await here.data("alpha"), await here.data("beta")]).toEqual([{ "x.txt": "1" }, { "y.txt": "2" }])

    // Where no newer Headrace ever ran, an operator ends it.
    await adoptTarget(here.ports, "release", { namespace: "ci", name: "alpha" }, new AbortController().signal)
    expect(await here.run("full")).toMatchObject({ result: "applied", failed: [] })
    expect(await here.data("alpha")).toEqual({ "x.txt": "2" })
  })
})

it("leaves every target alone while the record is of a newer format", async () => {
  const here = reconcileFixture(FILES, { rules: RULES })
  await here.run()
  await forge(here, { format: "2" })
  const record = (await here.kube.get("headrace", "release")) as ConfigMap
  const newer = { ...JSON.parse(record.data?.["record.json"] ?? ""), format: RECORD_FORMAT + 1 }
  await here.kube.replace({ ...record, data: { "record.json": JSON.stringify(newer) } })
  const marks = await annotationsOf(here, "alpha")
  here.commit({ "a/x.txt": "2", "b/y.txt": "2" })
  await expect(here.run("full")).rejects.toMatchObject({ code: "record/newer-format" })
  expect(await annotationsOf(here, "alpha")).toEqual(marks)
  expect([await here.data("alpha"), await here.data("beta")]).toEqual([{ "x.txt": "1" }, { "y.txt": "1" }])
})

/** What a stranger makes of the labels that go with a stamp. */
const LABELS: { [what: string]: { [name: string]: string } } = {
  "another source": { ...PROW, "headrace.dev/source": "other" },
  "an empty source": { ...PROW, "headrace.dev/source": "" },
  "no source": PROW,
  "no label of Prow's": { "headrace.dev/source": "release" },
  "another component": {
    ...PROW,
    "app.kubernetes.io/component": "theirs",
    "headrace.dev/source": "release",
  },
  none: {},
}

it.each(Object.entries(LABELS))("repairs and counts a stranger's labels: %s", async (_, labels) => {
  const here = reconcileFixture(FILES, { rules: RULES })
  await here.run()
  const before = (await here.kube.get("ci", "alpha")) as ConfigMap
  await here.kube.replace({
    ...before,
    metadata: { ...before.metadata, labels },
    data: { "x.txt": "theirs" },
  })
  const found = await here.run("full")
  expect(found).toMatchObject({ failed: [], foreign: [{ target: "ci/alpha" }] })
  expect((await here.kube.get("ci", "alpha"))?.metadata.labels).toEqual(before.metadata.labels)
  expect(await here.data("alpha")).toEqual({ "x.txt": "1" })
  expect((await here.run("full")).foreign).toEqual([])
})

it("repairs a stamp and a label that a stranger changed together", async () => {
  const here = reconcileFixture(FILES, { rules: RULES })
  await here.run()
  const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
  const labels = { ...PROW, "headrace.dev/source": "other" }
  await here.kube.replace({ ...alpha, metadata: { ...alpha.metadata, labels } })
  await forge(here, { format: "2", epoch: "x" })
  expect(await here.run("full")).toMatchObject({ failed: [], foreign: [{ target: "ci/alpha" }] })
})

it("leaves a target to the source that every mark names", async () => {
  const here = reconcileFixture(FILES, { rules: RULES })
  await reconcile({ cluster: "east", source: "other", mode: "full" }, here.ports, quiet)
  const { failed } = await here.run("full")
  expect(failed.map(({ reason }) => reason.split(":")[0])).toEqual([
    "reconcile/other-source",
    "reconcile/other-source",
  ])
})

it("takes an epoch beyond one that a stranger may have of ours, at most a day ahead, and repairs it", async () => {
  const here = reconcileFixture(FILES, { rules: RULES })
  await here.run()
  await forge(here, { epoch: String(FIXTURE_START + DAY) })
  for (let run = 0; run < 3; run++) expect(await here.run("full")).toMatchObject({ stopped: null })
  const { token, failed } = await here.record()
  expect(failed).toEqual([])
  expect(token.epoch).toBeLessThanOrEqual(FIXTURE_START + DAY + 1)
  expect((await annotationsOf(here, "alpha"))?.["headrace.dev/epoch"]).toBe(String(token.epoch))
})
