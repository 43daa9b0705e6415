import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
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
    b/*.txt: {name: alpha, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
it("two programs with different settings", async () => {
  const here = reconcileFixture(
    { "a/x.txt": "OLD", "b/x.txt": "NEW", "c/y.txt": "1", "rules2.yaml": R2 },
    { rules: R1, settings: { guard: "off" } as any },
  )
  await here.run()
  here.commit({ "a/x.txt": "OLD2", "c/y.txt": "2" })
  const newSettings = { ...here.ports.settings, rulesPath: "rules2.yaml" }
  const p2 = { ...here.ports, settings: newSettings, memory: createReconcileMemory() }
  // P1 (old settings) is paused right before it replaces alpha; P2 (new settings) runs to its end meanwhile
  let paused = false
  const p1 = {
    ...here.ports,
    memory: createReconcileMemory(),
    kube: {
      ...here.ports.kube,
      get: async (ns: string, n: string, s: any) => {
        if (n === "alpha" && !paused) {
          paused = true
          const o = await reconcile(
            { cluster: "east", source: "release", mode: "incremental" },
            p2 as any,
            quiet,
          )
          console.log(
            "| P2 (new settings) while P1 is paused:",
            o.result,
            JSON.stringify(await here.data("alpha")),
          )
        }
        return here.ports.kube.get(ns, n, s)
      },
    },
  }
  const o = await reconcile({ cluster: "east", source: "release", mode: "incremental" }, p1 as any, quiet)
  console.log("| P1 (old settings) ends:", o.result, JSON.stringify(await here.data("alpha")))
  for (let i = 0; i < 3; i++) {
    const o2 = await reconcile({ cluster: "east", source: "release", mode: "incremental" }, p2 as any, quiet)
    console.log("| P2 looks again:", o2.result, JSON.stringify(await here.data("alpha")))
  }
  here.commit({ "c/y.txt": "3" })
  console.log(
    "| another commit:",
    (await reconcile({ cluster: "east", source: "release", mode: "incremental" }, p2 as any, quiet)).result,
    JSON.stringify(await here.data("alpha")),
  )
  console.log(
    "| full:",
    (await reconcile({ cluster: "east", source: "release", mode: "full" }, p2 as any, quiet)).result,
    JSON.stringify(await here.data("alpha")),
  )
})
