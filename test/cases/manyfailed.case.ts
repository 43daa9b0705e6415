import { it } from "vitest"
import { reconcileFixture } from "../harness/reconcile-fixture.ts"

const id = (i: number) => String(i).padStart(3, "0")
for (const bad of [20, 30])
  it(`${bad} refused`, async () => {
    const RULES = `
config_updater:
  maps:
${Array.from({ length: 300 }, (_, i) => `    t/${id(i)}/**/*.txt: {name: target-${id(i)}, clusters: {east: [ci]}}`).join("\n")}
`
    const files: Record<string, string> = {}
    for (let i = 0; i < 300; i++) files[`t/${id(i)}/a/x.txt`] = `good ${i}`
    for (let i = 0; i < bad; i++) files[`t/${id(i)}/b/x.txt`] = `collides`
    const here = reconcileFixture(files, { rules: RULES, settings: { strict: true, guard: "off" } as any })
    await here.run()
    for (let k = 0; k < 3; k++) {
      here.writes.length = 0
      here.commit({ "t/299/a/x.txt": `new ${k}` })
      const o = await here.run()
      const r = await here.record()
      console.log(
        "|",
        bad,
        "refused | one file changed:",
        o.result,
        "ConfigMaps replaced:",
        here.writes.filter((w) => w.startsWith("replace target")).length,
        "failed",
        r.failed.length,
        "more",
        r.failedMore,
      )
    }
    here.writes.length = 0
    await here.run()
    console.log(
      "|",
      bad,
      "refused | nothing changed:",
      here.writes.filter((w) => w.startsWith("replace target")).length,
    )
  })
