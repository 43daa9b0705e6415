import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { projectionOptions, revisionOf, withProjection } from "../harness/with-projection.ts"

for (const prestage of [true, false])
  it(`clone ${prestage}`, async () =>
    withProjection({ prestage }, async (projection, path) => {
      await projection.publish(revisionOf(1, { x: "right", y: "1" }))
      await projection.settled()
      const x = join(path, "..data/x")
      chmodSync(x, 0o644)
      writeFileSync(x, "wrong")
      chmodSync(x, 0o444) // a consumer as root writes in place
      const r = await projection.publish(revisionOf(2, { x: "right", y: "2" }))
      console.log(
        "|",
        prestage ? "with clone" : "without clone",
        "| revision 2:",
        r.outcome,
        "x =",
        readFileSync(x, "utf8"),
        "damaged() =",
        projection.damaged(),
      )
      await projection.settled()
      await projection.publish(revisionOf(3, { x: "right", y: "3" }))
      console.log(
        "|",
        prestage ? "with clone" : "without clone",
        "| revision 3: x =",
        readFileSync(x, "utf8"),
      )
    }))
it("clock", async () =>
  withFolder(async (folder) => {
    const YEAR = 365 * 24 * 3600_000
    let now = () => Date.now()
    const clock = { now: () => now(), sleep: async () => {} }
    // the revisions below are retired at today's time; then the clock is found to have been a year ahead, and is set back
    const projection = await openProjection(
      projectionOptions(join(folder, "shown"), {
        clock,
        keep: { revisions: 2, age: 0, bytes: 4 * 1024 * 1024 },
      } as any),
    )
    const big = (n: number) =>
      String(n)
        .repeat(1024 * 1024)
        .slice(0, 1024 * 1024)
    try {
      for (let i = 1; i <= 3; i++) {
        await projection.publish(revisionOf(i, { f: big(i) }))
        await projection.settled()
      }
      now = () => Date.now() - YEAR
      for (let i = 4; i <= 8; i++) {
        try {
          const r = await projection.publish(revisionOf(i, { f: big(i) }))
          await projection.settled()
          console.log("| clock set back |", i, r.outcome)
        } catch (e: any) {
          console.log("| clock set back |", i, e.code, e.message.replace(folder, ""))
        }
      }
    } finally {
      await projection.close()
    }
  }))
