import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { type RolloutWorld, rolloutWorld, runFor, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"
import { KubeError } from "../kube/kube-error.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcilePorts, ReconcileSettings } from "./run/ports.ts"

const REQUEST = { cluster: "east", source: "release", mode: "incremental" } as const
const R1 = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
const R2 = R1.replace("a/*.txt", "b/*.txt")

function fixture(): ReconcileFixture {
  const files = { "a/x.txt": "OLD", "b/x.txt": "NEW", "c/y.txt": "1", "rules2.yaml": R2 }
  return reconcileFixture(files, { rules: R1, settings: { guard: "off" } })
}

/** A process of its own with these settings. */
function program(here: ReconcileFixture, settings: Partial<ReconcileSettings>): ReconcilePorts {
  return { ...here.ports, memory: createReconcileMemory(), settings: { ...here.ports.settings, ...settings } }
}

/** The API server's `get`, before which `act` is done once, at this name. */
function onceAt(
  name: string,
  here: ReconcileFixture,
  act: () => Promise<unknown>,
): ReconcilePorts["kube"]["get"] {
  let isDone = false
  return async (namespace, asked, signal) => {
    if (asked === name && !isDone) {
      isDone = true
      await act()
    }
    return here.kube.get(namespace, asked, signal)
  }
}

const OLDER = { rulesPath: "rules.yaml" }
const NEWER = { rulesPath: "rules2.yaml" }

describe("two programs with different settings", () => {
  it("leave the newer one's content, when the older one was paused before it wrote", async () => {
    const here = fixture()
    await here.run()
    here.commit({ "a/x.txt": "OLD2", "c/y.txt": "2" })
    const newer = program(here, NEWER)
    const older = program(here, OLDER)
    let paused = false
    older.kube = {
      ...older.kube,
      async get(namespace, name, signal) {
        if (name === "alpha" && !paused) {
          paused = true
          expect(await reconcile(REQUEST, newer, quiet)).toMatchObject({ result: "applied" })
        }
        return here.kube.get(namespace, name, signal)
      },
    }
    expect(await reconcile(REQUEST, older, quiet)).toMatchObject({ result: "superseded" })
    expect(paused).toBe(true)
    expect(await here.data("alpha")).toEqual({ "x.txt": "NEW" })
    expect(await reconcile(REQUEST, newer, quiet)).toMatchObject({ result: "noop" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "NEW" })
  })

  it("leave the newer one's content, when the older one committed first and wrote late", async () => {
    const here = fixture()
    await here.run()
    here.commit({ "a/x.txt": "OLD2", "c/y.txt": "2" })
    await reconcile(REQUEST, program(here, OLDER), quiet)
    const newer = program(here, NEWER)
    expect(await reconcile(REQUEST, newer, quiet)).toMatchObject({ result: "applied" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "NEW" })
  })

  it("take a larger token for another meaning of the same commit, so that a late writer is refused", async () => {
    const here = fixture()
    const { token } = await here.run()
    const changed = await reconcile(REQUEST, program(here, NEWER), quiet)
    expect(changed.token).toEqual({ epoch: token.epoch + 1, seq: token.seq })
    expect(await reconcile(REQUEST, program(here, NEWER), quiet)).toMatchObject({ result: "noop" })
  })
})

describe("settingsVersion", () => {
  it("lets a larger one write, and stops those with a smaller one or none, in their own outcome alone", async () => {
    const here = fixture()
    await reconcile(REQUEST, program(here, { ...OLDER, settingsVersion: 1 }), quiet)
    expect((await here.record()).settings).toMatchObject({ version: 1, rival: null })
    await reconcile(REQUEST, program(here, { ...NEWER, settingsVersion: 2 }), quiet)
    expect(await here.data("alpha")).toEqual({ "x.txt": "NEW" })
    here.commit({ "c/y.txt": "2" })
    here.writes.length = 0
    for (const settingsVersion of [1, undefined]) {
      const older = program(here, { ...OLDER, ...(settingsVersion === undefined ? {} : { settingsVersion }) })
      for (const mode of ["incremental", "full"] as const) {
        expect(await reconcile({ ...REQUEST, mode }, older, quiet)).toMatchObject({
          result: "stopped",
          stopped: { code: "settings/older" },
        })
      }
    }
    expect(here.writes).toEqual([])
    expect((await here.record()).stopped).toBeNull()
    expect(await reconcile(REQUEST, program(here, { ...NEWER, settingsVersion: 2 }), quiet)).toMatchObject({
      result: "applied",
      stopped: null,
    })
  })

  it("is known from the moment that work is begun under it", async () => {
    const here = fixture()
    await reconcile(REQUEST, program(here, { ...OLDER, settingsVersion: 1 }), quiet)
    const newer = program(here, { ...NEWER, settingsVersion: 2 })
    const older = program(here, { ...OLDER, settingsVersion: 1 })
    let asked = false
    newer.kube = {
      ...newer.kube,
      async get(namespace, name, signal) {
        if (name === "alpha" && !asked && (await here.record()).intents.length > 0) {
          asked = true
          expect(await reconcile(REQUEST, older, quiet)).toMatchObject({
            stopped: { code: "settings/older" },
          })
        }
        return here.kube.get(namespace, name, signal)
      },
    }
    expect(await reconcile(REQUEST, newer, quiet)).toMatchObject({ result: "applied" })
    expect(asked).toBe(true)
  })

  it("is never taken back by a writer that was late, whose work a newer program has begun too", async () => {
    const here = fixture()
    await reconcile(REQUEST, program(here, { settingsVersion: 1 }), quiet)
    here.commit({ "a/x.txt": "OLD2" })
    const newer = program(here, { settingsVersion: 2, allowForcePush: true })
    const died = new KubeError("kube/unauthorized", "died", { status: 401 })
    newer.kube = { ...newer.kube, create: () => Promise.reject(died) }
    const older = program(here, { settingsVersion: 1 })
    const meanwhile = onceAt("alpha", here, () =>
      expect(reconcile(REQUEST, newer, quiet)).rejects.toThrow("died"),
    )
    older.kube = { ...older.kube, get: meanwhile }
    expect(await reconcile(REQUEST, older, quiet)).toMatchObject({ stopped: { code: "settings/older" } })
    const { settings, intents } = await here.record()
    expect(settings).toMatchObject({ version: 2 })
    expect(intents).toHaveLength(1)
    const again = program(here, { settingsVersion: 2, allowForcePush: true })
    expect(await reconcile(REQUEST, again, quiet)).toMatchObject({ result: "applied", stopped: null })
    expect(await here.record()).toMatchObject({ settings: { version: 2, rival: null }, intents: [] })
  })

  it("keeps its rival, though a writer of the first content was under way", async () => {
    const here = fixture()
    await reconcile(REQUEST, program(here, { settingsVersion: 1 }), quiet)
    here.commit({ "a/x.txt": "OLD2" })
    const rival = program(here, { settingsVersion: 1, allowForcePush: true })
    const first = program(here, { settingsVersion: 1 })
    const meanwhile = onceAt("alpha", here, async () => {
      expect(await reconcile(REQUEST, rival, quiet)).toMatchObject({ stopped: { code: "settings/conflict" } })
    })
    first.kube = { ...first.kube, get: meanwhile }
    expect(await reconcile(REQUEST, first, quiet)).toMatchObject({ stopped: { code: "settings/conflict" } })
    expect((await here.record()).settings?.rival).toEqual(expect.any(String))
  })

  it("with two contents stops both and names both, until one of them has a larger", async () => {
    const here = fixture()
    const one = program(here, { ...OLDER, settingsVersion: 7 })
    const other = program(here, { ...NEWER, settingsVersion: 7 })
    await reconcile(REQUEST, one, quiet)
    here.commit({ "a/x.txt": "OLD2", "b/x.txt": "NEW2" })
    const stopped = await reconcile(REQUEST, other, quiet)
    expect(stopped).toMatchObject({ stopped: { code: "settings/conflict" } })
    const { settings } = await here.record()
    expect(stopped.stopped?.message).toContain(settings?.digest)
    expect(stopped.stopped?.message).toContain(settings?.rival ?? "no rival")
    expect(settings?.digest).not.toBe(settings?.rival)
    expect(await reconcile({ ...REQUEST, mode: "full" }, one, quiet)).toMatchObject({
      stopped: { code: "settings/conflict" },
    })
    expect((await here.record()).stopped).toMatchObject({ code: "settings/conflict" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "OLD" })
    const raised = program(here, { ...NEWER, settingsVersion: 8 })
    expect(await reconcile(REQUEST, raised, quiet)).toMatchObject({ result: "applied", stopped: null })
    expect(await here.data("alpha")).toEqual({ "x.txt": "NEW2" })
    expect((await here.record()).settings).toMatchObject({ version: 8, rival: null })
  })

  it("writes the record once, where nothing but the version is new", async () => {
    const here = fixture()
    await here.run()
    here.writes.length = 0
    await reconcile(REQUEST, program(here, { ...OLDER, settingsVersion: 1 }), quiet)
    await reconcile(REQUEST, program(here, { ...OLDER, settingsVersion: 1 }), quiet)
    expect(here.writes).toEqual(["replace release"])
  })
})

describe("a program with older settings", () => {
  const GUARDED = { guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 0 } }
  const FIRST = { ...GUARDED, ...OLDER, settingsVersion: 1 }
  const SECOND = { ...GUARDED, rulesPath: "rules2.yaml", settingsVersion: 2 }

  /** Rules that give none of the targets anything: the guard stops the source. */
  async function begin(): Promise<ReconcileFixture> {
    const here = fixture()
    const none = "config_updater: {maps: {z/*.txt: {name: zeta, clusters: {east: [ci]}}}}"
    here.commit({ "rules2.yaml": none })
    await reconcile(REQUEST, program(here, FIRST), quiet)
    return here
  }

  it("writes nothing where newer ones are stopped by the guard", async () => {
    const here = await begin()
    expect((await reconcile(REQUEST, program(here, SECOND), quiet)).stopped?.code).toMatch(/^guard\//)
    here.commit({ "a/x.txt": "OLD2" })
    expect((await reconcile(REQUEST, program(here, FIRST), quiet)).stopped?.code).toBe("settings/older")
    expect(await here.data("alpha")).toEqual({ "x.txt": "OLD" })
  })

  it("commits nothing that it had begun before, when it wakes up late", async () => {
    const here = await begin()
    const commit = here.commit({ "a/x.txt": "OLD2" })
    const late = program(here, FIRST)
    let paused = false
    late.kube = {
      ...late.kube,
      async replace(configMap, signal) {
        const written = await here.kube.replace(configMap, signal)
        if (configMap.metadata.name === "alpha" && !paused) {
          paused = true
          await reconcile(REQUEST, program(here, SECOND), quiet)
        }
        return written
      },
    }
    expect((await reconcile(REQUEST, late, quiet)).stopped?.code).toBe("settings/older")
    expect(paused).toBe(true)
    expect(await here.record()).toMatchObject({ settings: { version: 2 }, stopped: { commit } })
    expect((await here.record()).commit).not.toBe(commit)
  })
})

describe("settings that may not write, while a rollout is under way", () => {
  const STAGES = {
    stages: [{ clusters: ["canary"], bake: "10s" }, { bake: "10s" }],
    health: { nodes: { within: "60s" } },
  }

  /** Every look from now on is that of a new program with these settings. */
  function useSettings(world: RolloutWorld, settings: Partial<ReconcileSettings>): void {
    const memory = createReconcileMemory()
    world.look = (cluster, { mode = "full" } = {}) => {
      const ports = world.ports(cluster)
      const own = { ...ports, memory, settings: { ...ports.settings, ...settings } }
      return reconcile({ cluster, source: SOURCE, mode }, own, quiet)
    }
  }

  it.each([
    ["smaller ones", { settingsVersion: 1 }, "settings/older"],
    ["smaller ones with another meaning", { settingsVersion: 1, strict: true }, "settings/older"],
    ["none", {}, "settings/older"],
    ["others of the same version", { settingsVersion: 2, strict: true }, "settings/conflict"],
  ] as const)("%s", async (_, settings, code) => {
    const world = rolloutWorld({ canary: 2, edge: 2 }, STAGES)
    useSettings(world, { settingsVersion: 2 })
    await runFor(world, 2)
    world.commit("works")
    await runFor(world, 5)
    const before = await world.record("canary")
    expect(before?.candidate).toMatchObject({ stage: 0 })

    useSettings(world, settings)
    expect(await world.look("canary")).toMatchObject({ result: "stopped", stopped: { code } })
    await runFor(world, 120)
    const after = await world.record("canary")
    expect(after).toEqual({ ...before, settings: after?.settings, stopped: after?.stopped })
    expect(after?.settings).toMatchObject({ version: 2, digest: before?.settings?.digest })

    useSettings(world, { settingsVersion: 2 })
    const isRival = code === "settings/conflict"
    expect(after?.stopped?.code).toBe(isRival ? code : undefined)
    expect((await world.look("canary"))?.stopped?.code).toBe(isRival ? code : undefined)
    useSettings(world, { settingsVersion: 3 })
    await runFor(world, 60)
    const { commit, stopped, settings: known } = (await world.record("edge")) ?? {}
    expect({ commit, stopped, version: known?.version }).toEqual({
      commit: world.repository.tip(),
      stopped: null,
      version: 3,
    })
  })
})
