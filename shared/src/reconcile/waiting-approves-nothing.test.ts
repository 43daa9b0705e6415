import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { rolloutWorld, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"
import { approveCommit } from "./operate/approve-commit.ts"
import { holdSource, releaseSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"

const HOUR = 3_600_000
const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
`

/** A hundred keys, and a clock to set. */
function fixture() {
  const keys = Array.from({ length: 100 }, (_, index) => [`a/${index}.txt`, "x"])
  const here = reconcileFixture(Object.fromEntries(keys), { rules: RULES, settings: { guard: GUARD } })
  const time = { now: FIXTURE_START }
  Object.assign(here.ports, { clock: { ...here.ports.clock, now: () => time.now } })
  const operator = { ...here.ports, namespace: "headrace", source: "release" }
  let gone = 0
  function remove(count: number): string {
    const paths = Array.from({ length: count }, () => `a/${gone++}.txt`)
    return here.commit(Object.fromEntries(paths.map((path) => [path, undefined])))
  }
  const hold = (until: string | null) => holdSource(operator, { by: "me", reason: "wait", until }, quiet)
  return { here, time, operator, remove, hold }
}

const stopped = { stopped: { code: "guard/deleted-keys" } }

describe("deletions from before a hold", () => {
  /** Ways in which a hold of ten hours ends. */
  const ends: { [what: string]: (how: ReturnType<typeof fixture>) => Promise<void> } = {
    "by release": async ({ time, operator, hold }) => {
      await hold(null)
      time.now += 10 * HOUR
      await releaseSource(operator, quiet)
    },
    "by its time": async ({ time, hold }) => {
      await hold(new Date(time.now + 10 * HOUR).toISOString())
      time.now += 10 * HOUR
    },
    "by its time, with the hold set twice and rebuilds meanwhile": async ({ here, time, hold }) => {
      await hold(new Date(time.now + 5 * HOUR).toISOString())
      for (let hour = 0; hour < 4; hour++) {
        time.now += HOUR
        await here.run("full")
      }
      await hold(new Date(time.now + 6 * HOUR).toISOString())
      time.now += 6 * HOUR
    },
  }

  it.each(Object.entries(ends))("count with what was merged meanwhile, when it ends %s", async (_, end) => {
    const how = fixture()
    const { here, remove } = how
    await here.run()
    remove(15)
    await here.run()
    const merged = remove(15)
    await end(how)
    expect(await here.run()).toMatchObject(stopped)
    await approveCommit(how.operator, merged, quiet)
    expect(await here.run()).toMatchObject({ stopped: null, commit: merged })
  })

  it("that had become too old when it began do not count, and none counts longer than a window from its end", async () => {
    const { here, time, operator, remove, hold } = fixture()
    await here.run()
    remove(15)
    await here.run()
    time.now += 7 * HOUR
    remove(1)
    await here.run()
    await hold(null)
    remove(15)
    time.now += 10 * HOUR
    await releaseSource(operator, quiet)
    expect(await here.run()).toMatchObject({ stopped: null })
    time.now += 7 * HOUR
    remove(15)
    expect(await here.run()).toMatchObject({ stopped: null })
  })
})

describe("deletions from before a hold of a source with stages", () => {
  it("count with what is tried after the hold's time, and with what comes after that", async () => {
    const world = rolloutWorld(
      { east: 0 },
      { stages: [{}], health: { http: [{ url: "http://probe/healthz", every: "1s" }] } },
    )
    const push = (change: (files: Map<string, string>) => void) => {
      const files = new Map(world.repository.filesAt(world.repository.tip()))
      change(files)
      world.repository.push(world.repository.add([world.repository.tip()], files))
      return world.repository.tip()
    }
    let gone = 0
    const remove = (count: number) =>
      push((files) => {
        for (let index = 0; index < count; index += 1) files.delete(`a/${gone++}.txt`)
      })
    async function lookForAWhile() {
      for (let second = 0; second < 4; second += 1) {
        world.now += 1000
        const ports = world.ports("east")
        const guarded = { ...ports, settings: { ...ports.settings, guard: GUARD } }
        await reconcile({ cluster: "east", source: SOURCE, mode: "incremental" }, guarded, quiet)
      }
      return world.record("east")
    }
    push((files) => {
      for (let index = 0; index < 100; index += 1) files.set(`a/${index}.txt`, "x")
    })
    await lookForAWhile()
    const before = remove(15)
    expect(await lookForAWhile()).toMatchObject({ commit: before, candidate: null })
    const until = new Date(world.now + 10 * HOUR).toISOString()
    const operator = { ...world.ports("east"), source: SOURCE, namespace: "headrace" }
    await holdSource(
      { ...operator, settings: { ...operator.settings, guard: GUARD } },
      { by: "me", reason: "wait", until },
      quiet,
    )
    world.now += 10 * HOUR
    const after = remove(3)
    expect(await lookForAWhile()).toMatchObject({ commit: after, candidate: null, hold: null })
    remove(5)
    expect(await lookForAWhile()).toMatchObject({ commit: after, ...stopped })
  })
})

describe("a rebuild of an unchanged tree", () => {
  async function writesNothing(here: ReconcileFixture): Promise<void> {
    const before = here.writes.length
    expect(await here.run("full")).toMatchObject({ result: "noop", written: 0 })
    expect(here.writes.slice(before)).toEqual([])
  }

  it("writes nothing when past deletions have become too old to count", async () => {
    const { here, time, remove } = fixture()
    await here.run()
    remove(5)
    await here.run()
    time.now += 7 * HOUR
    await writesNothing(here)
    remove(15)
    expect(await here.run()).toMatchObject({ stopped: null })
    expect((await here.record()).deletions).toHaveLength(1)
  })

  it("writes nothing after a commit was approved that is shown already: the next run clears that", async () => {
    const { here, operator } = fixture()
    await here.run()
    await approveCommit(operator, here.repository.tip(), quiet)
    await here.run()
    expect((await here.record()).approved).toBeNull()
    await writesNothing(here)
  })

  it("writes nothing after a hold's time is over: the next run clears that", async () => {
    const { here, time, hold } = fixture()
    await here.run()
    await hold(new Date(time.now + HOUR).toISOString())
    await here.run()
    time.now += 2 * HOUR
    await here.run()
    expect((await here.record()).hold).toBeNull()
    await writesNothing(here)
  })
})
