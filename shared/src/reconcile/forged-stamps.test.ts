import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"

const DAY = 24 * 3_600_000
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
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

describe.each(Object.entries(FORGERIES))("a stranger's stamp: %s", (_, forgery) => {
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
