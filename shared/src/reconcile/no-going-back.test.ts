import {
  FIXTURE_START,
  quiet,
  type ReconcileFixture,
  RULES,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcilePorts } from "./run/ports.ts"

const REQUEST = { cluster: "east", source: "release", mode: "incremental" } as const

/** Another process: what it fetches is `tip`, and `pause` runs before its first call that `at` names. */
function another(
  here: ReconcileFixture,
  tip: string,
  at: (verb: "get" | "create" | "replace", name: string) => boolean,
  pause: () => Promise<unknown>,
): ReconcilePorts {
  let paused = false
  async function wait(verb: "get" | "create" | "replace", name: string): Promise<void> {
    if (paused || !at(verb, name)) return
    paused = true
    await pause()
  }
  const kube: ConfigMapWriter = {
    ...here.kube,
    async get(...args) {
      await wait("get", args[1])
      return here.kube.get(...args)
    },
    async create(configMap) {
      await wait("create", configMap.metadata.name)
      return here.kube.create(configMap)
    },
    async replace(configMap) {
      await wait("replace", configMap.metadata.name)
      return here.kube.replace(configMap)
    },
  }
  const repository = { ...here.repository, fetch: () => fetched(here, tip) }
  return { ...here.ports, kube, repository, rulesRepository: repository, memory: createReconcileMemory() }
}

async function fetched(here: ReconcileFixture, commit: string) {
  return { commit, seq: (await here.repository.seqOf(commit)) ?? 0 }
}

describe("a writer that wakes up late", () => {
  it("writes nothing without an intent, even where it had found nothing to change", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const edited = here.commit({ "a/x.txt": "two" })
    // Other rules, the same content for alpha as the record shows: every target is looked at, none is changed.
    const back = here.commit({ "a/x.txt": "one", "rules.yaml": `${RULES}    c/*.txt: {name: beta}\n` })
    const others = async () => {
      const first = another(
        here,
        edited,
        () => false,
        async () => {},
      )
      await reconcile(REQUEST, first, quiet)
      here.commit({ "a/x.txt": "two", "rules.yaml": RULES })
      await here.run()
    }
    const late = another(here, back, (verb, name) => verb === "get" && name === "alpha", others)
    await reconcile(REQUEST, late, quiet)
    await here.run()
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
  })

  it("begins a lost record with what is shown by then, not with what it knew before", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const first = here.repository.tip()
    const late = another(
      here,
      first,
      (verb, name) => verb === "create" && name === "release",
      async () => {
        here.commit({ "a/x.txt": "two" })
        await here.run()
        await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
      },
    )
    expect(await reconcile(REQUEST, late, quiet)).toMatchObject({
      result: "stopped",
      stopped: { code: "git/diverged", commit: first },
    })
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "applied", commit: here.repository.tip(), failed: [] })
  })

  it("is refused by targets of a record that began after it", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const edited = here.commit({ "a/x.txt": "two" })
    let now = FIXTURE_START
    Object.assign(here.ports, { clock: { now: () => now, sleep: async () => {} } })
    const late = another(
      here,
      edited,
      (verb, name) => verb === "get" && name === "alpha",
      async () => {
        await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
        now += 1000
        here.commit({ "a/x.txt": "three" })
        await here.run()
      },
    )
    expect(await reconcile(REQUEST, late, quiet)).toMatchObject({ result: "superseded" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "three" })
    expect((await here.record()).token.epoch).toBe(FIXTURE_START + 1000)
  })

  // An epoch that no target shows yet is beyond belief, however little ahead its clock was.
  it.each([1, 960])("writes nothing of a lost record that a clock %i hours ahead began", async (hours) => {
    const rules = "config_updater: {maps: {a/*.txt: {name: alpha, clusters: {east: [ci]}}}}"
    const here = reconcileFixture({ "a/x.txt": "one" }, { rules })
    const first = here.repository.tip()
    let reads = 0
    const late = another(
      here,
      first,
      // The first one is the guard's.
      (verb, name) => verb === "get" && name === "alpha" && ++reads === 2,
      async () => {
        await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
        here.commit({ "a/x.txt": "two" })
        await here.run()
      },
    )
    const clock = { now: () => FIXTURE_START + hours * 3_600_000, sleep: async () => {} }
    expect(await reconcile(REQUEST, { ...late, clock }, quiet)).toMatchObject({ result: "superseded" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
    expect((await here.record()).token.epoch).toBe(FIXTURE_START)
  })
})

describe("a record that was put back", () => {
  it("takes an epoch beyond what its targets carry, and writes them again", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" }, { settings: { allowForcePush: true } })
    await here.run()
    const backup = (await here.kube.get("headrace", "release")) as ConfigMap
    const base = here.repository.tip()
    here.commit({ "a/x.txt": "two" })
    await here.run()
    here.repository.push(base)
    expect(await here.run()).toMatchObject({ result: "applied", token: { epoch: FIXTURE_START + 1 } })
    const now = (await here.kube.get("headrace", "release")) as ConfigMap
    const { resourceVersion } = now.metadata
    here.commit({ "a/x.txt": "three" })
    await here.kube.replace({
      ...backup,
      metadata: { ...backup.metadata, resourceVersion: resourceVersion ?? "" },
    })
    // A process that has just begun: one that saw the later record would know at once (restored-record.test.ts).
    Object.assign(here.ports, { memory: createReconcileMemory() })
    const found = await here.run()
    expect(found.failed).toMatchObject([{ target: "ci/alpha" }])
    expect(found.failed[0]?.reason).toMatch(/^reconcile\/ahead: /)
    expect(found.failed[0]?.ahead).toBe(true)
    expect(await here.run()).toMatchObject({
      result: "applied",
      failed: [],
      token: { epoch: FIXTURE_START + 2 },
    })
    expect(await here.data("alpha")).toEqual({ "x.txt": "three" })
  })
})
