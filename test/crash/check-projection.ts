import fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision } from "@headrace/agent/store/revision"
import { type ProjectionOptions, projectionOptions, revisionOf } from "../harness/with-projection.ts"

/** What a look at a projection after a crash can find. */
export type Finding = "nothing" | "torn" | number

type Look = Pick<ProjectionOptions, "layout" | "link" | "linksEachFile">

/** In layout `exchange`, by which a directory is known. */
const IDENTITY = "..revision.json"

/**
 * Looks at a projection as a reader does, without any recovery: the index of the revision that is shown, whole;
 * `nothing` when nothing is there yet; `torn` for anything else.
 */
export async function lookAtProjection(
  path: string,
  revisions: readonly Revision[],
  { layout = "links", link = "..data" }: Look = {},
): Promise<Finding> {
  if (layout === "file") return await lookAtFile(path, revisions)
  const shown = layout === "links" ? linkedDirectory(path, link) : exchangedDirectory(path)
  if (!shown) return "nothing"
  const index = revisions.findIndex((revision) => revision.id === shown.id)
  const revision = revisions[index]
  if (!revision) return "torn"
  return (await isWhole(shown.directory, revision)) ? index : "torn"
}

function linkedDirectory(path: string, link: string): { directory: string; id: string } | undefined {
  try {
    const target = fs.readlinkSync(join(path, link))
    return { directory: join(path, dirname(link), target), id: basename(target) }
  } catch {
    return undefined
  }
}

/** An empty directory shows nothing: publishing for the first time takes its place. */
function exchangedDirectory(path: string): { directory: string; id: string } | undefined {
  if (!fs.existsSync(path) || fs.readdirSync(path).length === 0) return undefined
  return { directory: path, id: revisionIn(join(path, IDENTITY)) }
}

function revisionIn(manifest: string): string {
  try {
    return JSON.parse(fs.readFileSync(manifest, "utf8")).revision
  } catch {
    return "unknown"
  }
}

async function lookAtFile(path: string, revisions: readonly Revision[]): Promise<Finding> {
  if (!fs.existsSync(path)) return "nothing"
  for (const [index, { files }] of revisions.entries()) {
    const [file] = files
    if (!file || (fs.statSync(path).mode & 0o7777) !== file.mode) continue
    if (fs.readFileSync(path).equals(await file.read())) return index
  }
  return "torn"
}

/** True when a directory holds exactly a revision's files. */
export async function isWhole(directory: string, revision: Revision): Promise<boolean> {
  try {
    const names = fs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    const files = names.filter(
      (name) => name !== IDENTITY && !fs.lstatSync(join(directory, name)).isDirectory(),
    )
    if (files.length !== revision.files.length) return false
    for (const file of revision.files) {
      const full = join(directory, file.path)
      if (!fs.readFileSync(full).equals(await file.read())) return false
      if ((fs.statSync(full).mode & 0o7777) !== file.mode) return false
    }
    return true
  } catch {
    return false
  }
}

/**
 * Opens a projection after a crash and publishes to it. Gives what is wrong: what recovery changed of what was
 * shown, a publish that fails or shows something else, leftovers. Empty when all is well.
 */
export async function recoverAndPublish(
  path: string,
  revisions: readonly Revision[],
  found: Finding,
  options: ProjectionOptions = {},
): Promise<string[]> {
  const wrong: string[] = []
  const projection = await openProjection(
    projectionOptions(path, {
      durability: "fsync",
      keep: { revisions: 1, age: 0, bytes: 2 ** 30 },
      ...options,
    }),
  )
  const recovered = await lookAtProjection(path, revisions, options)
  if (found !== "nothing" && recovered !== found) wrong.push(`recovery turned ${found} into ${recovered}`)
  if (projection.damaged().length > 0) wrong.push(`damaged: ${projection.damaged().join(", ")}`)
  const next = revisionOf(99, nextFiles(options.layout))
  const result = await projection.publish(next)
  if (result.outcome !== "published") wrong.push(`the next publish was ${result.outcome}`)
  await projection.close()
  if ((await lookAtProjection(path, [next], options)) !== 0) wrong.push("the next publish does not show")
  return [...wrong, ...leftovers(path, options)]
}

function nextFiles(layout: ProjectionOptions["layout"]): Record<string, string> {
  return layout === "file"
    ? { tool: "after the crash" }
    : { a: "after the crash", "d/b": "same", "z/z": "new" }
}

/** Names that a projection with one revision, and nobody at work, should not have. */
export function leftovers(path: string, look: Look = {}): string[] {
  const { layout = "links", link = "..data", linksEachFile = false } = look
  const store = layout === "links" ? join(path, "..rev") : join(dirname(path), `.headrace-${basename(path)}`)
  const inStore = fs.readdirSync(store)
  const slots = inStore.filter((name) => /^\d{4}$/.test(name))
  return [
    ...inStore
      .filter((name) => !/^(\d{4}|lock|published\.json)$/.test(name))
      .map((name) => `left in the store: ${name}`),
    ...(slots.length === 1 ? [] : [`slots: ${slots.join(", ")}`]),
    ...(layout === "links" ? wrongLinks(path, link, linksEachFile) : []),
  ]
}

function wrongLinks(path: string, link: string, recursive: boolean): string[] {
  const place = join(path, dirname(link))
  const names = (folder: string) =>
    fs
      .readdirSync(folder, { recursive, encoding: "utf8" })
      .filter((name) => !recursive || !fs.lstatSync(join(folder, name)).isDirectory())
  const shown = new Set(basename(link) === "..data" ? names(`${join(path, link)}/`) : [])
  const ours = [basename(link), "..rev", basename(path)]
  const links = names(place).filter((name) => !ours.includes(name.split("/")[0] ?? ""))
  return [
    ...links.filter((name) => !shown.has(name)).map((name) => `an obsolete visible link: ${name}`),
    ...[...shown].filter((name) => !links.includes(name)).map((name) => `a lost visible link: ${name}`),
  ]
}
