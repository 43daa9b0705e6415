import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"

const cases: Record<string, (cm: any) => any> = {
  "changes a value": (cm) => ({
    ...cm,
    data: Object.fromEntries(
      Object.entries(cm.data ?? {}).map(([k, v]) => [k, k === "VERSION" ? v : `${v}#injected`]),
    ),
  }),
  "injects a key": (cm) => ({ ...cm, data: { ...cm.data, injected: "y" } }),
  "strips our annotations": (cm) => ({ ...cm, metadata: { ...cm.metadata, annotations: {} } }),
  "strips unknown labels": (cm) => ({ ...cm, metadata: { ...cm.metadata, labels: {} } }),
}
for (const [what, mutate] of Object.entries(cases))
  it(what, async () => {
    const here = reconcileFixture(
      { "a/1.txt": "x" },
      {
        changeKube: (kube) => ({
          ...kube,
          create: (cm, s) => kube.create(cm.metadata.namespace === "ci" ? mutate(cm) : cm, s),
          replace: (cm, s) => kube.replace(cm.metadata.namespace === "ci" ? mutate(cm) : cm, s),
        }),
      },
    )
    const show = async (t: string, o: any) =>
      console.log(
        "|",
        what,
        "|",
        t,
        o.result,
        "written",
        o.written,
        "failed",
        JSON.stringify(o.failed),
        "foreign",
        o.foreign.length,
        "alpha",
        JSON.stringify((await here.kube.get("ci", "alpha"))?.data),
      )
    await show("first", await here.run())
    await show("full warm", await here.run("full"))
    const fresh = () => reconcilePorts({ ...here.ports, memory: undefined } as any)
    const cold = async (m: any) => {
      const p = fresh()
      delete (p as any).memory
      return reconcile({ cluster: "east", source: "release", mode: m }, p, quiet)
    }
    await show("full cold", await cold("full"))
    await show("full cold", await cold("full"))
    here.commit({ "a/1.txt": "z" })
    await show("commit warm", await here.run())
  })
