import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { withRevision } from "@headrace/agent/read/with-revision"

// A reader in a process of its own: looks at the projection argv[2] of layout argv[3] until its input ends, then
// prints what it found. argv[4] is "look" (resolve once, read beneath at once) or the milliseconds that it holds a
// lease; argv[5] the minimum age of a revision in milliseconds, which a look on a busy machine can outlast.
const [path = "", layout = "", how = "", minimumAge = ""] = process.argv.slice(2)
const IDENTITY = "..revision.json"
const found = { looks: 0, mixed: 0, vanished: 0, lostLinks: 0, revisions: new Set<string>() }
let ended = false
process.stdin.on("end", () => {
  ended = true
})
process.stdin.resume()

/** Until when, by performance.now(), a revision that is shown now is promised to stay. */
function promisedUntil(): number {
  return performance.now() + Number(minimumAge)
}

function lookAt(directory: string, idOf: () => string, until: number): void {
  found.looks += 1
  try {
    const id = idOf()
    found.revisions.add(id)
    const names = fs.readdirSync(`${directory}/.`, { recursive: true, encoding: "utf8" })
    const files = names.filter((name) => name !== IDENTITY && fs.statSync(join(directory, name)).isFile())
    const said = new Set(files.map((name) => `c${fs.readFileSync(join(directory, name), "utf8")}`))
    if (said.size !== 1 || !said.has(id)) found.mixed += 1
  } catch {
    if (performance.now() < until) found.vanished += 1
  }
}

function lookThroughLink(): void {
  const until = promisedUntil()
  const target = fs.readlinkSync(join(path, "..data"))
  lookAt(join(path, target), () => target.split("/").at(-1) ?? "", until)
}

/** Another directory may be at the path at any time, so reads go through the one that was opened. */
function lookThroughDirectory(): void {
  const until = promisedUntil()
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  const directory = `/proc/self/fd/${fd}`
  try {
    const identity = () => JSON.parse(fs.readFileSync(join(directory, IDENTITY), "utf8")).revision
    lookAt(directory, identity, until)
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
    lookAt(revision.path, () => revision.id, Number.POSITIVE_INFINITY)
    await delay(milliseconds)
    lookAt(revision.path, () => revision.id, Number.POSITIVE_INFINITY)
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
