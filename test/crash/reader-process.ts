import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { withRevision } from "@headrace/agent/read/with-revision"

// A reader in a process of its own: looks at the projection argv[2] until its input ends, then prints what it
// found. argv[3] is "look" (resolve once, read beneath at once) or the milliseconds that it holds a lease.
const [path = "", how = ""] = process.argv.slice(2)
const found = { looks: 0, mixed: 0, vanished: 0, lostLinks: 0, revisions: new Set<string>() }
let ended = false
process.stdin.on("end", () => {
  ended = true
})
process.stdin.resume()

function lookAt(directory: string, id: string): void {
  found.looks += 1
  found.revisions.add(id)
  try {
    const names = fs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    const files = names.filter((name) => fs.statSync(join(directory, name)).isFile())
    const said = new Set(files.map((name) => `c${fs.readFileSync(join(directory, name), "utf8")}`))
    if (said.size !== 1 || !said.has(id)) found.mixed += 1
  } catch {
    found.vanished += 1
  }
}

while (!ended) {
  if (how === "look") {
    const target = fs.readlinkSync(join(path, "..data"))
    lookAt(join(path, target), target.split("/").at(-1) ?? "")
    // Names that every revision has are never without their visible link, whatever comes and goes beside them.
    for (const name of ["d0", "d1", "d2"]) if (!fs.existsSync(join(path, name, "."))) found.lostLinks += 1
    await delay(0)
    continue
  }
  await withRevision(path, async (revision) => {
    lookAt(revision.path, revision.id)
    await delay(Number(how))
    lookAt(revision.path, revision.id)
  })
}
process.stdout.write(JSON.stringify({ ...found, revisions: found.revisions.size }))
