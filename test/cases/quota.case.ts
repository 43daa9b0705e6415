import { KubeError } from "@headrace/shared/kube/kube-error"
import { collectGarbage } from "@headrace/shared/reconcile/operate/collect-garbage"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"

it("quota", async () => {
  const QUOTA = 25 // count/configmaps in namespace headrace
  const here = reconcileFixture(
    { "a/1.txt": "x" },
    {
      changeKube: (kube) => ({
        ...kube,
        async create(cm, s) {
          if (
            cm.metadata.namespace === "headrace" &&
            (await kube.listMetadata("headrace", {})).length >= QUOTA
          )
            throw new KubeError(
              "kube/forbidden",
              `configmaps "${cm.metadata.name}" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=${QUOTA}, limited: count/configmaps=${QUOTA}`,
              { status: 403 },
            )
          return kube.create(cm, s)
        },
      }),
    },
  )
  let now = Date.UTC(2026, 0, 1)
  const clock = { now: () => now, sleep: async () => {} }
  const ports = reconcilePorts({ ...here.ports, clock, settings: here.ports.settings } as any)
  const run = async (mode: "incremental" | "full") => {
    try {
      const o = await reconcile({ cluster: "east", source: "release", mode }, ports, quiet)
      return o.result
    } catch (e: any) {
      return `${e.code}: ${e.message.slice(0, 70)}`
    }
  }
  const gc = async () => {
    const g = await collectGarbage(
      { kube: here.kube, namespace: "headrace", clock, grace: 3600_000 },
      quiet,
    ).catch((e) => ({ error: e.code }))
    return JSON.stringify(g)
  }
  // a busy hour: many merges
  for (let i = 0; i < 20; i++) {
    here.commit({ "a/1.txt": `v${i}` })
    const r = await run("incremental")
    if (i > 5) console.log("| merge", i, r)
    if (r.includes("quota")) break
    now += 60_000
  }
  for (let h = 0; h < 6; h++) {
    now += 3600_000
    console.log("| hour", h, await run("full"), "| gc if it ran:", await gc())
  }
  const r = await here.record()
  const all = await here.kube.listMetadata("headrace", {})
  console.log(
    "| objects",
    all.length,
    "intents",
    r.intents.length,
    "marked",
    all.filter((m) => m.annotations?.["headrace.dev/unused-since"]).length,
    "history",
    r.history.length,
  )
})
