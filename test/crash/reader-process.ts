import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { withRevision } from "@headrace/agent/read/with-revision"

// A reader in a process of its own: looks at the projection argv[2] of layout argv[3] until its input ends, then
// prints what it found. argv[4] is "look" (resolve once, read beneath at once) or the milliseconds that it holds a
// lease.
const [path = "", layout = "", how = ""] = process.argv.slice(2)
const IDENTITY = "..revision.json"
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
    const names = fs.readdirSync(`${directory}/.`, { recursive: true, encoding: "utf8" })
    const files = names.filter((name) => name !== IDENTITY && fs.statSync(join(directory, name)).isFile())
    const said = new Set(files.map((name) => `c${fs.readFileSync(join(directory, name), "utf8")}`))
    if (said.size !== 1 || !said.has(id)) found.mixed += 1
  } catch {
    found.vanished += 1
  }
}

function lookThroughLink(): void {
  const target = fs.readlinkSync(join(path, "..data"))
  lookAt(join(path, target), target.split("/").at(-1) ?? "")
}

/** Another directory may be at the path at any time, so reads go through the one that was opened. */
function lookThroughDirectory(): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  const directory = `/proc/self/fd/${fd}`
  try {
    lookAt(directory, JSON.parse(fs.readFileSync(join(directory, IDENTITY), "utf8")).revision)
  } finally {
    fs.closeSync(fd)
  }
}

/** A file holds the number of its revision, many times. */
function lookAtFile(): void {
  found.looks += 1
  try {
    const said = new Set(fs.readFileSync(path, "utf8").trim().split(" "))
    for (const number of said) found.revisions.add(number)
    if (said.size !== 1) found.mixed += 1
  } catch {
    found.vanished += 1
  }
}

const LOOKS: Record<string, () => void> = {
  links: lookThroughLink,
  exchange: lookThroughDirectory,
  file: lookAtFile,
}

/** Names that every revision has are never gone, whatever comes and goes beside them. */
function lookForNames(): void {
  if (layout === "file") return
  for (const name of ["d0", "d1", "d2"]) if (!fs.existsSync(join(path, name, "."))) found.lostLinks += 1
}

async function hold(milliseconds: number): Promise<void> {
  await withRevision(path, async (revision) => {
    lookAt(revision.path, revision.id)
    await delay(milliseconds)
    lookAt(revision.path, revision.id)
  })
}

while (!ended) {
  if (how !== "look") await hold(Number(how))
  else {
    LOOKS[layout]?.()
    lookForNames()
    await delay(0)
  }
}
process.stdout.write(JSON.stringify({ ...found, revisions: found.revisions.size }))
