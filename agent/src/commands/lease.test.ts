import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { programArguments } from "@headrace/test/harness/program-arguments"
import { revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { throughKoffi } from "../disk/native-calls.ts"

const AGENT = programArguments("agent")
const LAYOUTS = ["links", ...(throughKoffi() ? (["exchange"] as const) : [])] as const

describe.each(LAYOUTS)("lease in layout %s", (layout) => {
  const keep = { revisions: 1, age: 0, bytes: 1e9 }
  const storeOf = (path: string) =>
    layout === "links" ? join(path, "..rev") : join(dirname(path), `.headrace-${basename(path)}`)
  const slots = (path: string) => fs.readdirSync(storeOf(path)).filter((name) => /^\d{4}$/.test(name))

  it("shows the command where its revision is, and ends with the command's code", async () => {
    await withProjection({ layout }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "one" }))
      const script = 'cat "$HEADRACE_REVISION_PATH/a"; echo " $HEADRACE_REVISION"; exit 7'
      const ended = spawnSync(process.execPath, [...AGENT, "lease", path, "--", "sh", "-c", script], {
        encoding: "utf8",
      })

      expect(ended).toMatchObject({ status: 7, stdout: "one c1\n" })
    })
  })

  it("holds its revision as long as the command lives, even when it is killed itself", async () => {
    await withProjection({ layout, keep, lookEvery: 50 }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "one" }))
      const [begun, gate, read] = ["begun", "gate", "read"].map((name) => join(dirname(path), name))
      if (!begun || !gate || !read) throw new Error("no files")
      const waiting = `touch ${begun}; until [ -e ${gate} ]; do sleep 0.05; done`
      const script = `${waiting}; cat "$HEADRACE_REVISION_PATH/a" > ${read}`
      const lease = spawn(process.execPath, [...AGENT, "lease", path, "--", "sh", "-c", script])
      await expect.poll(() => fs.existsSync(begun)).toBe(true)
      lease.kill("SIGKILL")
      await once(lease, "exit")
      await projection.publish(revisionOf(2, { a: "two" }))
      await projection.settled()
      expect(slots(path)).toEqual(["0001", "0002"])

      fs.writeFileSync(gate, "")
      await expect.poll(() => fs.existsSync(read) && fs.readFileSync(read, "utf8")).toBe("one")
      await expect.poll(() => slots(path)).toEqual(["0002"])
    })
  })
})
