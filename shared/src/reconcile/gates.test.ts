import {
  quiet,
  type ReconcileFixture,
  type ReconcileFixtureOptions,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import { Gates } from "../settings/gates.ts"
import { approveCommit, approveGate } from "./operate/approve-commit.ts"
import { releaseSource, rewindSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"

const RULES = "config_updater: {maps: {jobs/*.yaml: {name: jobs, clusters: {east: [ci], west: [ci]}}}}\n"
const GATES = { files: [{ glob: "jobs/*", parse: "yaml" }] }
const GOOD = { "jobs/a.yaml": "a: 1\n" }
const WORD = { by: "me", reason: "test", until: null }
const BROKEN = { "jobs/b.yaml": "b: [1\nc: 2\n" }

function fixture(
  gates: unknown = GATES,
  files: { [path: string]: string } = GOOD,
  more: ReconcileFixtureOptions = {},
) {
  return reconcileFixture(files, {
    rules: RULES,
    ...more,
    settings: { gates: Gates.parse(gates), guard: "off", ...more.settings },
  })
}

/** Records alone: nothing of the commit. */
const writtenSince = (here: ReconcileFixture, count: number) =>
  here.writes.slice(count).filter((write) => write !== "replace release")

const operatorPorts = ({
  ports: { kube, clock, repository, rulesRepository, settings },
}: ReconcileFixture) => ({
  kube,
  clock,
  repository,
  rulesRepository,
  settings,
  namespace: "headrace",
  source: "release",
})

describe("a commit that a gate refuses", () => {
  it("stops the source before anything is written, names file, line and rule, and the next good one passes", async () => {
    const here = fixture()
    await here.run()
    const [good, writes] = [await here.record(), here.writes.length]
    const bad = here.commit(BROKEN)
    const message = "jobs/b.yaml:2:1: not valid YAML: deficient indentation (gate parse: yaml, of jobs/*)"
    for (const mode of ["incremental", "full"] as const) {
      expect(await here.run(mode)).toMatchObject({
        result: "stopped",
        commit: good.commit,
        stopped: { code: "gate/not-parsed", commit: bad, message },
      })
    }
    expect(writtenSince(here, writes)).toEqual([])
    expect(await here.data("jobs")).toEqual({ "a.yaml": "a: 1\n" })
    here.commit({ "jobs/b.yaml": "b: 1\n" })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    expect(await here.data("jobs")).toEqual({ "a.yaml": "a: 1\n", "b.yaml": "b: 1\n" })
  })

  it("is not written as the first of a source either", async () => {
    const here = fixture(GATES, BROKEN)
    expect(await here.run()).toMatchObject({
      result: "stopped",
      commit: null,
      stopped: { code: "gate/not-parsed" },
    })
    expect(here.writes.filter((write) => !write.endsWith(" release"))).toEqual([])
  })

  it("ends what an earlier run had begun, under other gates, and goes no further", async () => {
    let refuse = false
    const here = fixture({}, GOOD, {
      changeKube: (kube) => ({
        ...kube,
        create: async (configMap, signal) => {
          if (refuse) throw new Error("killed")
          return kube.create(configMap, signal)
        },
      }),
    })
    await here.run()
    const begun = here.commit(BROKEN)
    refuse = true
    await expect(here.run()).rejects.toThrow("killed")
    refuse = false
    here.ports.settings.gates = Gates.parse(GATES)
    expect(await here.run(), "judged when it was begun").toMatchObject({ commit: begun, stopped: null })
    const next = here.commit({ "jobs/c.yaml": "[" })
    expect(await here.run()).toMatchObject({ result: "stopped", commit: begun, stopped: { commit: next } })
  })
})

describe("what is in force", () => {
  it("is not judged again: by rebuilds, by gates that came later, or where it does not change", async () => {
    const here = fixture({}, { ...GOOD, ...BROKEN })
    await here.run()
    here.ports.settings.gates = Gates.parse(GATES)
    expect(await here.run("full")).toMatchObject({ stopped: null })
    here.commit({ "jobs/a.yaml": "a: 2\n" })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    here.ports.settings.defaults = { cluster: "east", namespace: "other" }
    expect(await here.run(), "other settings, the same commit").toMatchObject({ stopped: null })
  })

  it("is what targets show, where the record is lost", async () => {
    const here = fixture({ change: { bytes: "x2" }, files: GATES.files }, { ...GOOD, ...BROKEN })
    here.ports.settings.gates = Gates.parse({})
    await here.run()
    await here.kube.remove(
      (await here.kube.get("headrace", "release")) ?? {
        metadata: { name: "release", namespace: "headrace" },
      },
    )
    here.ports.settings.gates = Gates.parse({ change: { bytes: "x2" }, files: GATES.files })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
  })
})

describe("a verdict", () => {
  it("is the same for a cluster that is behind: what passes from another's revision passes", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`jobs/${index}.yaml`, `a: ${index}\n`]),
    )
    const here = fixture({ change: { emptied: 2 }, files: GATES.files }, files)
    const west = {
      ...here.ports,
      memory: createReconcileMemory(),
      kube: { ...here.ports.kube },
      settings: { ...here.ports.settings, namespace: "west" },
      peers: async () => [await here.record()],
    }
    const runWest = (ports: typeof west) =>
      reconcile({ cluster: "west", source: "release", mode: "incremental" }, ports, quiet)
    await here.run()
    await runWest(west)
    for (const index of [0, 1, 2, 3]) {
      here.commit({ [`jobs/${index}.yaml`]: "a:\n" })
      expect(await here.run()).toMatchObject({ stopped: null })
    }
    const { peers: _, ...alone } = west
    expect(await runWest(alone as typeof west)).toMatchObject({ stopped: { code: "gate/emptied" } })
    expect(await runWest(west)).toMatchObject({ result: "applied", stopped: null })
  })
})

describe("an approval", () => {
  it("lifts the gates for that commit under its rules, once, and neither the guard nor the next commit", async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`jobs/${index}.yaml`, "a: 1"]))
    const here = fixture(GATES, { ...GOOD, ...many })
    await here.run()
    const bad = here.commit(BROKEN)
    await here.run()
    await approveCommit(operatorPorts(here), bad, quiet)
    expect(await here.run(), "an approval of the guard's").toMatchObject({
      stopped: { code: "gate/not-parsed" },
    })
    await approveGate(operatorPorts(here), bad, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: bad, stopped: null })
    expect((await here.record()).approved).toBeNull()
    here.commit({ "jobs/c.yaml": "[" })
    expect(await here.run()).toMatchObject({ result: "stopped", commit: bad })

    here.ports.settings.guard = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 5 }
    const both = here.commit(Object.fromEntries(Object.keys(many).map((path) => [path, undefined])))
    await approveGate(operatorPorts(here), both, quiet)
    expect(await here.run()).toMatchObject({ result: "stopped", stopped: { code: "guard/deleted-keys" } })
  })

  it("of other rules does not count", async () => {
    const here = fixture()
    await here.run()
    const bad = here.commit(BROKEN)
    await approveGate(operatorPorts(here), bad, quiet)
    here.ports.settings.defaults = { cluster: "east", namespace: "other" }
    expect(await here.run()).toMatchObject({ stopped: { code: "gate/not-parsed" } })
  })
})

describe("a rewind", () => {
  it("may change as much as it likes, and is refused for the files that it brings", async () => {
    const here = fixture(
      { change: { bytes: "x2" }, files: GATES.files },
      { "jobs/a.yaml": `a: ${"x".repeat(200_000)}\n` },
    )
    const large = here.repository.tip()
    await here.run()
    here.ports.settings.gates = Gates.parse({})
    for (const index of [1, 2, 3, 4, 5]) {
      here.commit({ "jobs/a.yaml": `a: ${index}\n` })
      await here.run()
    }
    const broken = here.commit(BROKEN)
    const last = here.commit({ "jobs/b.yaml": "b: 1\n" })
    await here.run()
    here.ports.settings.gates = Gates.parse({ change: { bytes: "x2" }, files: GATES.files })
    await rewindSource(operatorPorts(here), { ...WORD, commit: large }, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: large, stopped: null })
    await rewindSource(operatorPorts(here), { ...WORD, commit: broken }, quiet)
    for (const mode of ["incremental", "full"] as const) {
      expect(await here.run(mode)).toMatchObject({
        result: "stopped",
        commit: large,
        stopped: { code: "gate/not-parsed" },
      })
    }
    await releaseSource(operatorPorts(here), quiet)
    expect(here.repository.tip()).toBe(last)
  })

  it("to what a gate has refused lets nothing through, not even once it is released", async () => {
    const here = fixture()
    await here.run()
    const good = here.repository.tip()
    const bad = here.commit(BROKEN)
    await here.run()
    await rewindSource(operatorPorts(here), { ...WORD, commit: bad }, quiet)
    expect(await here.run()).toMatchObject({ commit: good, stopped: { code: "gate/not-parsed" } })
    await releaseSource(operatorPorts(here), quiet)
    for (const mode of ["incremental", "full"] as const)
      expect(await here.run(mode)).toMatchObject({ commit: good, stopped: { code: "gate/not-parsed" } })
  })

  it("to a commit beside the branch that a gate has refused holds the branch up no longer than its hold", async () => {
    const here = fixture()
    const { repository } = here
    const good = repository.tip()
    await here.run()
    const beside = repository.add([good], new Map([...repository.filesAt(good), ...Object.entries(BROKEN)]))
    await rewindSource(operatorPorts(here), { ...WORD, commit: beside }, quiet)
    expect(await here.run()).toMatchObject({ commit: good, stopped: { code: "gate/not-parsed" } })
    await releaseSource(operatorPorts(here), quiet)
    const tip = here.commit({ "jobs/a.yaml": "a: 2\n" })
    expect(await here.run()).toMatchObject({ result: "applied", commit: tip, stopped: null })
    expect((await here.record()).intents).toEqual([])
  })

  it("that a gate has refused lets no rewritten branch be followed", async () => {
    const here = fixture()
    const { repository } = here
    const first = repository.tip()
    const shown = here.commit({ "jobs/a.yaml": "a: 2\n" })
    await here.run()
    const beside = repository.add([first], new Map([...repository.filesAt(first), ...Object.entries(BROKEN)]))
    await rewindSource(operatorPorts(here), { ...WORD, commit: beside }, quiet)
    await here.run()
    await releaseSource(operatorPorts(here), quiet)
    repository.push(
      repository.add([first], new Map([...repository.filesAt(first), ["jobs/a.yaml", "a: 3\n"]])),
    )
    const message = `commit ${repository.tip()} does not contain ${shown}: the branch was rewritten`
    expect(await here.run()).toMatchObject({ commit: shown, stopped: { code: "git/diverged", message } })
  })
})
