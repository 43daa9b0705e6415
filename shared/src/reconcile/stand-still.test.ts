import { FIXTURE_START, quiet, RULES, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { modelRepository } from "@headrace/test/model/model-repository"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { approveCommit } from "./operate/approve-commit.ts"
import { holdSource, releaseSource, rewindSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"

describe("a source that must stand still", () => {
  it("keeps last good in force when its rules do not parse, and says so", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const good = here.repository.tip()
    const bad = here.commit({ "rules.yaml": "config_updater: [", "a/x.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "stopped", commit: good })
    expect((await here.record()).stopped).toMatchObject({ code: "rules/invalid", commit: bad })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    here.commit({ "rules.yaml": RULES })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
  })

  it("does not delete beyond the guard until that commit is approved", async () => {
    const here = reconcileFixture({ "a/1.txt": "1", "a/2.txt": "2", "a/3.txt": "3", "b/y.txt": "y" })
    await here.run()
    const tip = here.commit({ "a/1.txt": undefined, "a/2.txt": undefined, "a/3.txt": undefined })
    expect(await here.run()).toMatchObject({ result: "stopped", stopped: { code: "guard/deleted-keys" } })
    expect(Object.keys(await here.data("alpha"))).toHaveLength(3)
    await approveCommit({ ...here.ports, namespace: "headrace", source: "release" }, tip, quiet)
    expect(await here.run()).toMatchObject({ result: "applied" })
    expect(await here.data("alpha")).toEqual({})
    expect((await here.record()).approved).toBeNull()
  })

  it("does not empty ConfigMaps that Prow wrote before the first run", async () => {
    const here = reconcileFixture({ "b/y.txt": "y" })
    const labels = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
    const data = { "1.txt": "1", "2.txt": "2" }
    await here.kube.create({ metadata: { namespace: "ci", name: "alpha", labels }, data })
    expect(await here.run()).toMatchObject({ result: "stopped", commit: null })
    expect(await here.data("alpha")).toEqual(data)
  })

  it("waits when the branch was rewritten, and follows after rewind and release", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const base = here.repository.tip()
    here.commit({ "a/x.txt": "two" })
    await here.run()
    const other = here.repository.add(
      [base],
      new Map([
        ["rules.yaml", RULES],
        ["a/x.txt", "three"],
      ]),
    )
    here.repository.push(other)
    expect(await here.run()).toMatchObject({ result: "stopped", stopped: { code: "git/diverged" } })
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    const hold = { commit: other, by: "me", reason: "rewritten", until: null }
    await rewindSource(ports, hold, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", token: { epoch: FIXTURE_START + 1, seq: 2 } })
    await releaseSource(ports, quiet)
    here.commit({ "a/x.txt": "four" })
    expect(await here.run()).toMatchObject({ result: "applied", token: { epoch: FIXTURE_START + 1, seq: 3 } })
    expect(await here.data("alpha")).toEqual({ "x.txt": "four" })
  })

  it("follows a rewritten branch by itself where it may", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" }, { settings: { allowForcePush: true } })
    const base = here.repository.tip()
    here.commit({ "a/x.txt": "two" })
    await here.run()
    here.repository.push(base)
    expect(await here.run()).toMatchObject({
      result: "applied",
      commit: base,
      token: { epoch: FIXTURE_START + 1, seq: 1 },
    })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
  })

  it("stays where it is held, whatever is merged", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    const held = here.repository.tip()
    await holdSource(ports, { by: "me", reason: "freeze", until: null }, quiet)
    here.commit({ "a/x.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "noop", commit: held })
    await releaseSource(ports, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: here.repository.tip() })
  })

  it("has one goal in a run, though its hold ends while the targets are surveyed", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const held = here.repository.tip()
    let now = Date.now()
    const end = now + 60_000
    const inner = here.kube
    const kube: typeof inner = {
      ...inner,
      async get(...args) {
        if (args[1] === "alpha") now = end + 1
        return inner.get(...args)
      },
    }
    // Another setting than the record was written with: what is in force must be read from the targets.
    const settings = { ...here.ports.settings, strict: true }
    const ports = { ...here.ports, settings, kube, clock: { now: () => now, sleep: async () => {} } }
    const hold = { by: "me", reason: "freeze", until: new Date(end).toISOString() }
    await holdSource({ ...ports, namespace: "headrace", source: "release" }, hold, quiet)
    const tip = here.commit({ "a/x.txt": "two" })
    const request = { cluster: "east", source: "release", mode: "incremental" } as const
    expect(await reconcile(request, ports, quiet)).toMatchObject({ commit: held })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
    expect(await reconcile(request, ports, quiet)).toMatchObject({ commit: tip })
    expect(await here.data("alpha")).toEqual({ "x.txt": "two" })
  })

  it("rebuilds a lost record from its targets, and never goes below their tokens", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" }, { settings: { allowForcePush: true } })
    const base = here.repository.tip()
    here.commit({ "a/x.txt": "two" })
    await here.run()
    here.repository.push(base)
    await here.run()
    here.commit({ "a/x.txt": "three" })
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    const rebuilt = await here.run()
    expect(rebuilt).toMatchObject({ result: "applied", token: { seq: 2 } })
    // Larger than any epoch that the lost record can have been in.
    expect(rebuilt.token.epoch).toBeGreaterThan(FIXTURE_START + 1)
    expect(await here.data("alpha")).toEqual({ "x.txt": "three" })
  })

  it("goes where it is rewound to, though another commit was approved since", async () => {
    const here = reconcileFixture({ "a/1.txt": "1" })
    const first = here.repository.tip()
    here.commit({ "a/2.txt": "2", "a/3.txt": "3", "a/4.txt": "4" })
    await here.run()
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    await rewindSource(ports, { commit: first, by: "me", reason: "bad merge", until: null }, quiet)
    await approveCommit(ports, here.repository.tip(), quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: first })
    expect(await here.data("alpha")).toEqual({ "1.txt": "1" })
  })

  it("writes nothing under settings that would delete beyond the guard, whatever else stops it", async () => {
    const fewer = RULES.replace("a/*.txt", "a/1.txt")
    const here = reconcileFixture({ "a/1.txt": "1", "a/2.txt": "2", "a/3.txt": "3", "other.yaml": fewer })
    await here.run()
    here.commit({ "other.yaml": "config_updater: [" })
    here.ports.settings.rulesPath = "other.yaml"
    here.writes.length = 0
    expect(await here.run("full")).toMatchObject({ result: "stopped", stopped: { code: "rules/invalid" } })
    expect(here.writes).toEqual(["replace release"])
    expect(Object.keys(await here.data("alpha"))).toHaveLength(3)
  })

  it("undoes hand edits in a full run, though the branch cannot be followed", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    here.commit({ "rules.yaml": "config_updater: [" })
    await here.run()
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.replace({ ...alpha, data: { ...alpha.data, "x.txt": "by hand" } })
    expect(await here.run("full")).toMatchObject({ result: "stopped" })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one" })
  })

  it("names the held commit as the goal when it cannot be reached, not the tip", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const bad = here.commit({ "rules.yaml": "config_updater: [" })
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    await holdSource(ports, { commit: bad, by: "me", reason: "freeze", until: null }, quiet)
    here.commit({ "rules.yaml": RULES })
    expect(await here.run()).toMatchObject({ stopped: { code: "rules/invalid", commit: bad } })
  })
})

describe("a held source with rules from another", () => {
  const FREEZE = { by: "me", reason: "freeze", until: null }
  const RENAMED = RULES.replace("name: alpha", "name: gamma")

  function ruled() {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const rules = modelRepository(new Map([["rules.yaml", RULES]]))
    Object.assign(here.ports, { rulesRepository: rules })
    const push = (parent: string, text: string) => {
      rules.push(rules.add([parent], new Map([["rules.yaml", text]])))
      return rules.tip()
    }
    return { here, rules, push, ports: () => ({ ...here.ports, namespace: "headrace", source: "release" }) }
  }

  it("keeps the rules where they were, until it is released", async () => {
    const { here, rules, push, ports } = ruled()
    await here.run()
    const shown = rules.tip()
    await holdSource(ports(), FREEZE, quiet)
    const renamed = push(shown, RENAMED)
    expect(await here.run()).toMatchObject({ result: "noop" })
    expect(await here.record()).toMatchObject({ rulesCommit: shown, hold: { rulesCommit: shown } })
    await releaseSource(ports(), quiet)
    await here.run()
    expect((await here.record()).rulesCommit).toBe(renamed)
    expect(await here.data("gamma")).toEqual({ "x.txt": "one" })
  })

  it("follows a rewritten branch of the rules when it is rewound, or goes to the commit that it is given", async () => {
    const { here, rules, push, ports } = ruled()
    const base = rules.tip()
    const second = push(base, `${RULES}    # more\n`)
    await here.run()
    const other = push(base, RENAMED)
    expect(await here.run()).toMatchObject({ result: "stopped", stopped: { code: "git/diverged" } })
    const hold = { ...FREEZE, commit: here.repository.tip() }
    await rewindSource(ports(), hold, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    expect((await here.record()).rulesCommit).toBe(other)
    await rewindSource(ports(), { ...hold, rulesCommit: second }, quiet)
    await here.run()
    expect((await here.record()).rulesCommit).toBe(second)
  })
})
