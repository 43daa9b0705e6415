import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")
const TSC = join(ROOT, "node_modules/typescript/bin/tsc")
/** Not exported: the program, the files behind the entry, what tests import from the workspace, the root. */
const SEALED = ["main", "read/index", "read/with-revision", "publish/open-projection", "package.json", ""]

const CONSUMER = `
import * as entry from "@headrace/agent/read"
import { readFile } from "node:fs/promises"
import { join } from "node:path"

const [path, ...sealed] = process.argv.slice(2)
const read = await entry.withRevision(path, async (revision) => {
  return { id: revision.id, text: await readFile(join(revision.path, "a"), "utf8") }
})
const stop = new AbortController()
let watched
for await (const id of entry.watchRevision(path, { signal: stop.signal })) {
  watched = id
  stop.abort()
}
const codes = {}
for (const name of sealed) {
  codes[name] = await import(name).then(() => "imported", (error) => error.code)
}
console.log(JSON.stringify({ names: Object.keys(entry).sort(), read, watched, codes }))
`

const TYPED_CONSUMER = `
import { watchRevision, withRevision } from "@headrace/agent/read"

export const length: number = await withRevision("/shown", async ({ path, id, fd }) => (path + id).length + fd)
export const ids: AsyncGenerator<string> = watchRevision("/shown", { signal: new AbortController().signal })
// @ts-expect-error: an entry that took any argument would prove nothing.
await withRevision(1, async () => undefined)
`

/** Packs a package of the workspace and unpacks it into the folder's node_modules, as npm would without a network. */
async function install(folder: string, name: string): Promise<string> {
  const args = ["pack", "--pack-destination", folder, "--loglevel=error"]
  await run("npm", args, { cwd: join(ROOT, name) })
  const tarball = (await readdir(folder)).find((file) => file.startsWith(`headrace-${name}-`))
  const installed = join(folder, "node_modules/@headrace", name)
  await mkdir(installed, { recursive: true })
  await run("tar", ["-xzf", join(folder, String(tarball)), "--strip-components=1", "-C", installed])
  return installed
}

/** Gives a package's other dependencies, which a registry would: those that this workspace has installed. */
async function linkDependencies(folder: string, installed: string): Promise<void> {
  const { dependencies, optionalDependencies } = JSON.parse(
    await readFile(join(installed, "package.json"), "utf8"),
  )
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const [from, to] = [join(ROOT, "node_modules", name), join(folder, "node_modules", name)]
    if (name.startsWith("@headrace/") || existsSync(to) || !existsSync(from)) continue
    await mkdir(join(to, ".."), { recursive: true })
    await symlink(from, to)
  }
}

it("the packed agent exports @headrace/agent/read and nothing else", async () => {
  await withFolder(async (folder) => {
    await run(process.execPath, [TSC, "-b", join(ROOT, "agent")])
    for (const name of ["shared", "agent"]) await linkDependencies(folder, await install(folder, name))
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path))
    await projection.publish(revisionOf(1, { a: "one" }))
    await projection.close()

    await writeFile(join(folder, "consumer.mjs"), CONSUMER)
    const sealed = SEALED.map((name) => join("@headrace/agent", name))
    const env = { PATH: process.env.PATH }
    const { stdout } = await run(process.execPath, ["consumer.mjs", path, ...sealed], { cwd: folder, env })
    expect(JSON.parse(stdout)).toEqual({
      names: ["watchRevision", "withRevision"],
      read: { id: "c1", text: "one" },
      watched: "c1",
      codes: Object.fromEntries(sealed.map((name) => [name, "ERR_PACKAGE_PATH_NOT_EXPORTED"])),
    })

    await writeFile(join(folder, "consumer.mts"), TYPED_CONSUMER)
    await symlink(join(ROOT, "node_modules/@types"), join(folder, "node_modules/@types"))
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"]
    await run(process.execPath, [TSC, ...flags, "consumer.mts"], { cwd: folder })
  })
}, 120_000)
