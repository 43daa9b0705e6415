import { hasCode } from "@headrace/shared/foundation/errors"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { quiet, type ReconcileFixture, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { failingRepository } from "./gates.ts"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"

const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    hidden/*.txt: {name: hidden, view: false, clusters: {east: [ci]}}
`
const KEYS = 40
const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
const SEED = Number(process.env.HEADRACE_MODEL_SEED ?? 20_260_103)
const RUNS = Number(process.env.HEADRACE_MODEL_RUNS ?? 150) / 5

function filesIn(folder: string, content: string | undefined): { [path: string]: string | undefined } {
  return Object.fromEntries(Array.from({ length: KEYS }, (_, index) => [`${folder}/${index}.txt`, content]))
}

/** A source that shows 40 keys in a named ConfigMap and 40 in the store alone. */
async function begin(): Promise<ReconcileFixture> {
  const files = { ...filesIn("a", "1"), ...filesIn("hidden", "1") } as { [path: string]: string }
  const here = reconcileFixture(files, { rules: RULES, settings: { guard: GUARD } })
  await here.run()
  return here
}

/** Runs a process of no memory whose `fault`-th git read fails; gives its result or the error's code. */
async function runFailing(here: ReconcileFixture, fault: number): Promise<{ said: string; reads: number }> {
  let reads = 0
  const repository = failingRepository(here.repository, () => reads++ === fault)
  const ports = { ...here.ports, repository, rulesRepository: repository, memory: createReconcileMemory() }
  const request = { cluster: "east", source: "release", mode: "incremental" } as const
  const said = await reconcile(request, ports, quiet).then(
    ({ result, stopped, failed }) => stopped?.code ?? (failed.length > 0 ? "targets failed" : result),
    (error: unknown) => {
      if (hasCode(error, "git/")) return error.code
      throw error
    },
  )
  return { said, reads }
}

/** What is said when each read fails in turn, up to the run in which none is left to fail. */
async function eachRead(
  prepare: (here: ReconcileFixture) => void,
  check: (here: ReconcileFixture) => Promise<void>,
) {
  const all: string[] = []
  for (let fault = 0; ; fault++) {
    const here = await begin()
    prepare(here)
    const { said, reads } = await runFailing(here, fault)
    await check(here)
    if (reads <= fault) return { failed: all, whole: said, last: here }
    all.push(said)
  }
}

describe("a git read that fails", () => {
  it.each(["a", "hidden"])(
    "wherever it is, lets no commit by that empties %s beyond the guard",
    async (folder) => {
      const { failed, whole } = await eachRead(
        (here) => void here.commit(filesIn(folder, undefined)),
        async (here) => {
          expect(Object.keys(await here.data("alpha"))).toHaveLength(KEYS)
          expect((await here.record()).token.seq).toBe(1)
        },
      )
      expect(whole).toBe("guard/deleted-keys")
      expect(failed.length).toBeGreaterThan(3)
      expect(failed).toContain("git/timeout")
      expect(failed).not.toContain("applied")
    },
  )

  it("wherever it is, fails the run or its target, and the next one ends the work", async () => {
    const { failed, whole } = await eachRead(
      (here) => void here.commit({ "a/0.txt": "2", "a/1.txt": undefined }),
      async (here) => {
        await here.run()
        expect(Object.entries(await here.data("alpha"))).toHaveLength(KEYS - 1)
        expect(await here.data("alpha")).toMatchObject({ "0.txt": "2" })
        expect(await here.record()).toMatchObject({ token: { seq: 2 }, intents: [], stopped: null })
      },
    )
    expect(whole).toBe("applied")
    expect(failed).toEqual(expect.arrayContaining(["git/timeout", "targets failed"]))
  })

  it("keeps every promise under any schedule, whichever read of each process it is", {
    timeout: 3_600_000,
  }, async () => {
    const faults = fc.array(fc.integer({ min: -1, max: 12 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(schedules(), faults, (schedule, gitFaults) => runSchedule(schedule, { gitFaults })),
      { numRuns: RUNS, seed: SEED },
    )
  })
})
