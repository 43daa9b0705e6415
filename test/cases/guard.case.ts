import { openStoreConfigMap, storeObjectName } from "@headrace/shared/bundle/store-config-map"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { listTargets, parseIndex } from "@headrace/shared/record/walk-index"
import { it } from "vitest"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"

const RULES = (dropped: boolean) => `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    s/*.txt: {name: storeonly, view: false, clusters: {east: [ci]}}
${dropped ? "" : "    d/*.txt: {name: dropped, clusters: {east: [ci]}}\n"}`
const root = async (here: any) => {
  const rec = await here.record()
  const t = await listTargets(rec.root, async (d: string) =>
    parseIndex(openStoreConfigMap((await here.kube.get("headrace", storeObjectName("index", d)))!, d), d),
  )
  return t.map((e: any) => `${e.name}:${e.files}`).join(" ")
}
const files: Record<string, string> = { "a/1.txt": "x" }
for (let i = 0; i < 40; i++) {
  files[`s/${i}.txt`] = `s${i}`
  files[`d/${i}.txt`] = `d${i}`
}

for (const what of ["view:false files deleted", "rule removed"])
  it(what, async () => {
    const here = reconcileFixture(files, {
      rules: RULES(false),
      settings: { guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 } } as any,
    })
    let o: any = await here.run()
    console.log(what, "|", o.result, await root(here))
    const changes: Record<string, string | undefined> = {}
    if (what === "rule removed") changes["rules.yaml"] = RULES(true)
    else for (let i = 0; i < 40; i++) changes[`s/${i}.txt`] = undefined
    here.commit(changes)
    o = await here.run()
    console.log(what, "| commit:", o.result, o.stopped?.code, await root(here))
    o = await here.run("full")
    console.log(what, "| full again:", o.result, o.stopped?.code, await root(here))
    // the operator adds a cluster to the settings file (any change of the digest), plugin reloads
    const ports = {
      ...here.ports,
      settings: {
        ...here.ports.settings,
        clusters: new Map([
          ["east", {}],
          ["west", {}],
          ["new", {}],
        ]),
      },
    }
    o = await reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports as any, quiet)
    console.log(
      what,
      "| after a cluster was added to the settings:",
      o.result,
      o.stopped?.code,
      await root(here),
    )
  })
