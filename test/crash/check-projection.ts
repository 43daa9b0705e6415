import fs from "node:fs"
import { join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import type { Revision } from "@headrace/agent/publish/revision"
import { type ProjectionOptions, projectionOptions, revisionOf } from "../harness/with-projection.ts"

/** What a look at a projection after a crash can find. */
export type Finding = "nothing" | "torn" | number

/**
 * Looks at a projection as a reader does, without any recovery: the index of the revision that is shown, whole;
 * `nothing` when no link is there yet; `torn` for anything else.
 */
export async function lookAtProjection(
  path: string,
  revisions: readonly Revision[],
  link = "..data",
): Promise<Finding> {
  let target: string
  try {
    target = fs.readlinkSync(join(path, link))
  } catch {
    return "nothing"
  }
  const index = revisions.findIndex((revision) => target.endsWith(`/${revision.id}`))
  const revision = revisions[index]
  if (!revision) return "torn"
  return (await isWhole(join(path, target), revision)) ? index : "torn"
}

/** True when a directory holds exactly a revision's files. */
export async function isWhole(directory: string, revision: Revision): Promise<boolean> {
  try {
    const names = fs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    const files = names.filter((name) => !fs.lstatSync(join(directory, name)).isDirectory())
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
  const recovered = await lookAtProjection(path, revisions, options.link)
  if (found !== "nothing" && recovered !== found) wrong.push(`recovery turned ${found} into ${recovered}`)
  if (projection.damaged().length > 0) wrong.push(`damaged: ${projection.damaged().join(", ")}`)
  const next = revisionOf(99, { a: "after the crash", "d/b": "same", "z/z": "new" })
  const result = await projection.publish(next)
  if (result.outcome !== "published") wrong.push(`the next publish was ${result.outcome}`)
  await projection.close()
  if ((await lookAtProjection(path, [next], options.link)) !== 0) wrong.push("the next publish does not show")
  return [...wrong, ...leftovers(path, options.link)]
}

/** Names that a projection with one revision, and nobody at work, should not have. */
export function leftovers(path: string, link = "..data"): string[] {
  const inStore = fs
    .readdirSync(join(path, "..rev"))
    .filter((name) => !/^(\d{4}|lock|published\.json)$/.test(name))
  const slots = fs.readdirSync(join(path, "..rev")).filter((name) => /^\d{4}$/.test(name))
  const shown = new Set(link === "..data" ? fs.readdirSync(join(path, "..data/")) : [])
  const links = fs.readdirSync(path).filter((name) => ![link, "..rev"].includes(name))
  return [
    ...inStore.map((name) => `left in the store: ${name}`),
    ...(slots.length === 1 ? [] : [`slots: ${slots.join(", ")}`]),
    ...links.filter((name) => !shown.has(name)).map((name) => `an obsolete visible link: ${name}`),
    ...[...shown].filter((name) => !links.includes(name)).map((name) => `a lost visible link: ${name}`),
  ]
}
