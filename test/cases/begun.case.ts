import { KubeError } from "@headrace/shared/kube/kube-error"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"

const R1 = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
const R2 = `
config_updater:
  maps:
    none/*.txt: {name: alpha, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
for (const begun of [false, true])
  it(`begun ${begun}`, async () => {
    let down = false
    const files: Record<string, string> = { "c/y.txt": "1", "rules2.yaml": R2 }
    for (let i = 0; i < 60; i++) files[`a/${i}.txt`] = `a${i}`
    const here = reconcileFixture(files, {
      rules: R1,
      settings: { guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 } } as any,
      changeKube: (kube) => ({
        ...kube,
        async create(cm, s) {
          if (down) throw new KubeError("kube/unavailable", "x", { status: 503 })
          return kube.create(cm, s)
        },
      }),
    })
    await here.run()
    here.commit({ "c/y.txt": "2" })
    if (begun) {
      down = true
      await here.run().catch((e) => console.log("|", begun, "| run dies:", e.code))
      down = false
    }
    console.log("|", begun, "| intents open:", (await here.record()).intents.length)
    const ports = { ...here.ports, settings: { ...here.ports.settings, rulesPath: "rules2.yaml" } }
    const o = await reconcile(
      { cluster: "east", source: "release", mode: "incremental" },
      ports as any,
      quiet,
    )
    console.log(
      "|",
      begun,
      "| with the other rules file:",
      o.result,
      o.stopped?.code,
      "keys of alpha",
      Object.keys(await here.data("alpha")).length,
    )
  })
