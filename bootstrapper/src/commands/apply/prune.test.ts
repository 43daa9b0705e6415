import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"
import { CONFIG_MAPS } from "../../../../config/local/embedded-kube/resource-kind.ts"

const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
const LESS = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
`
const BROKEN = "config_updater: {maps: [}"

it("prunes nothing for rules that were not applied, whether they parse or not", {
  timeout: 400_000,
}, async () => {
  await withOperator(async ({ repo, kube, runJson, writeConfig }) => {
    const files: { [path: string]: string } = { "rules.yaml": RULES, "less.yaml": LESS }
    for (const folder of ["a", "b", "c"])
      for (let i = 0; i < 40; i++) files[`${folder}/${i}.txt`] = `${folder}${i}`
    await repo.commit(files)
    const places = () => kube.store.list(CONFIG_MAPS, "ci").map(({ metadata }) => metadata.name)
    const config = (rules: string) =>
      writeConfig({ sources: { release: { url: repo.folder, branch: repo.branch, rules } } })
    await config("rules.yaml")
    expect((await runJson("apply", "--direct")).code).toBe(0)
    await config("less.yaml")
    const judged = await runJson("apply", "--direct", "--prune")
    expect(judged.code).toBe(1)
    expect(judged.places).toMatchObject([{ pruned: [], notPruned: "this plan was not applied" }])
    await repo.commit({ "less.yaml": BROKEN })
    expect((await runJson("apply", "--direct", "--prune")).code).toBe(1)
    expect(places()).toEqual(["alpha", "beta", "gamma"])
    const { places: shown } = await runJson("status")
    expect(shown).toMatchObject([{ state: "stopped", orphans: null }])
  })
})
