import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { it } from "vitest"
import { reconcileFixture } from "../harness/reconcile-fixture.ts"
import { shown } from "../harness/shown-files.ts"
import { withAgent } from "../harness/with-agent.ts"
import { withFolder } from "../harness/with-folder.ts"

const N = 60
const id = (i: number) => String(i).padStart(2, "0")
const RULES = `
config_updater:
  maps:
    ok/*.txt: {name: okay, clusters: {east: [ci]}}
${Array.from({ length: N }, (_, i) => `    t/${id(i)}/**/*.txt: {name: target-${id(i)}, clusters: {east: [ci]}}`).join("\n")}
`
for (const how of ["record deleted", "root index deleted"])
  it(how, async () => {
    await withFolder(async (folder) => {
      const files: Record<string, string> = { "ok/o.txt": "o" }
      for (let i = 0; i < N; i++) files[`t/${id(i)}/a/x.txt`] = `good ${i}`
      const here = reconcileFixture(files, {
        rules: RULES,
        settings: { strict: true, guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 } } as any,
      })
      await here.run()
      const every = join(folder, "every")
      const yaml = `{version: 1, record: headrace/release, everyTarget: {path: ${every}, durability: none}}`
      await withAgent(here.kube, yaml, async () => {
        const count = async () => {
          let n = 0
          for (let i = 0; i < N; i++)
            if (Object.keys(await shown(join(every, `ci/target-${id(i)}`)).catch(() => ({}))).length > 0) n++
          return n
        }
        for (let k = 0; k < 50 && (await count()) < N; k++) await delay(100)
        console.log("|", how, "| shown with content at first:", await count())
        const bad: Record<string, string> = {}
        for (let i = 0; i < N; i++) bad[`t/${id(i)}/b/x.txt`] = "collides"
        here.commit(bad)
        let o: any = await here.run()
        let r = await here.record()
        console.log(
          "|",
          how,
          "| mistake merged:",
          o.result,
          o.stopped?.code,
          "failed listed",
          r.failed.length,
          "more",
          r.failedMore,
        )
        await delay(1500)
        console.log("|", how, "| shown with content:", await count())
        if (how === "record deleted") await here.kube.remove((await here.kube.get("headrace", "release"))!)
        else {
          // root index of the store removed by hand; a commit that changes one good target follows
          const idx = (
            await here.kube.listMetadata("headrace", { labelSelector: "app.kubernetes.io/component=index" })
          ).find((m) => m.annotations?.["headrace.dev/digest"] === r.root)!
          await here.kube.remove({ metadata: idx })
          here.commit({ "ok/o.txt": "o2" })
          here.ports.memory = undefined as any
        }
        o = await here.run()
        r = await here.record()
        console.log(
          "|",
          how,
          "| after:",
          o.result,
          o.stopped?.code,
          "failed listed",
          r.failed.length,
          "more",
          r.failedMore,
        )
        await delay(4000)
        console.log("|", how, "| shown with content:", await count(), "of", N)
      })
    })
  }, 60000)
