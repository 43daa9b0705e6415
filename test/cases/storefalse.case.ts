import { collectGarbage } from "@headrace/shared/reconcile/operate/collect-garbage"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"

it("store false", async () => {
  const here = reconcileFixture({ "a/1.txt": "x" })
  await here.run()
  for (let i = 0; i < 5; i++) {
    here.commit({ "a/1.txt": `v${i}` })
    await here.run()
  }
  const ports = { ...here.ports, settings: { ...here.ports.settings, store: false } }
  for (let i = 0; i < 6; i++) {
    here.commit({ "a/1.txt": `w${i}` })
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports as any, quiet)
  }
  const r = await here.record()
  let now = Date.now()
  for (let h = 0; h < 4; h++) {
    now += 7200_000
    console.log(
      "|",
      JSON.stringify(
        await collectGarbage(
          {
            kube: here.kube,
            namespace: "headrace",
            clock: { now: () => now, sleep: async () => {} },
            grace: 3600_000,
          },
          quiet,
        ),
      ),
    )
  }
  console.log(
    "| root",
    r.root,
    "history",
    r.history.length,
    "objects left",
    (
      await here.kube.listMetadata("headrace", {
        labelSelector: "app.kubernetes.io/component in (shard,index)",
      })
    ).length,
  )
})
