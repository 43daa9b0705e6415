import { quiet, RULES, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { modelRepository } from "@headrace/test/model/model-repository"
import { describe, expect, it } from "vitest"
import { openIntent } from "../record/intents.ts"
import { compareTokens } from "../record/token.ts"
import { holdSource, rewindSource } from "./operate/hold-source.ts"
import { changeRecord } from "./record/change-record.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcileSettings } from "./run/ports.ts"

/** A fixture whose rules come from another source, with three commits of its own. */
function ruled(settings: Partial<ReconcileSettings> = {}) {
  const here = reconcileFixture({ "a/x.txt": "one", "a/v.txt": "vee", "a/z.txt": "zed" }, { settings })
  const rules = modelRepository(new Map([["rules.yaml", RULES]]))
  const push = (text: string) => rules.push(rules.add([rules.tip()], new Map([["rules.yaml", text]])))
  for (const comment of ["# one", "# two"]) push(`${RULES}    ${comment}\n`)
  const own = here.ports.rulesRepository
  Object.assign(here.ports, { rulesRepository: rules })
  const moveIntoSource = () => Object.assign(here.ports, { rulesRepository: own })
  return { here, rules, push, moveIntoSource }
}

describe("rules from another source", () => {
  it("may move into the source, and the token grows though their commits no longer count", async () => {
    const { here, moveIntoSource } = ruled()
    await here.run()
    const before = (await here.record()).token
    moveIntoSource()
    const tip = here.commit({ "a/x.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "applied", commit: tip })
    expect(compareTokens((await here.record()).token, before)).toBeGreaterThan(0)
    expect(await here.data("alpha")).toMatchObject({ "x.txt": "two" })
    expect(await here.run()).toMatchObject({ result: "noop" })
  })

  it("leave no key behind that they gave a target and no longer do, where others may have keys there", async () => {
    const { here, push } = ruled({ foreignKeys: "keep" })
    await here.run()
    push(RULES.replace("a/*.txt", "a/{x,v}.txt"))
    Object.assign(here.ports, { memory: createReconcileMemory() })
    await here.run()
    expect(await here.data("alpha")).toEqual({ "x.txt": "one", "v.txt": "vee" })
  })

  it("are rewound to a commit that the mirror has not seen before", async () => {
    const { here, rules, push } = ruled()
    await here.run()
    push(RULES.replace("name: alpha", "name: gamma"))
    const newer = rules.tip()
    let isFetched = false
    const rulesRepository = {
      ...rules,
      fetch: () => {
        isFetched = true
        return rules.fetch()
      },
      seqOf: async (commit: string) => (commit === newer && !isFetched ? undefined : rules.seqOf(commit)),
    }
    const ports = { ...here.ports, rulesRepository, namespace: "headrace", source: "release" }
    const hold = { commit: here.repository.tip(), rulesCommit: newer, by: "me", reason: "", until: null }
    expect(await rewindSource(ports, hold, quiet)).toMatchObject({ hold: { rulesCommit: newer } })
  })

  it("stay where a hold puts them, though newer ones have begun to be applied", async () => {
    const { here, rules, push } = ruled()
    await here.run()
    const { commit, token, rulesCommit } = await here.record()
    push(RULES.replace("name: alpha", "name: gamma"))
    const begun = { token: { ...token, seq: token.seq + 1 }, rulesCommit: rules.tip(), targets: ["ci/gamma"] }
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    const tip = here.repository.tip()
    await changeRecord(ports, (record) => openIntent(record, { ...begun, commit: tip }), quiet)
    await holdSource(ports, { by: "me", reason: "freeze", until: null }, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    expect(await here.record()).toMatchObject({ commit, rulesCommit, intents: [] })
    expect(await here.data("alpha")).toMatchObject({ "x.txt": "one" })
  })
})
