import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"

export type Layout = "links" | "exchange" | "file"

/** What somebody does to a projection at FOLDER/at/shown; gives what undoes it for the test's end. */
export interface Sabotage {
  what: string
  layouts: readonly Layout[]
  needsRoot?: boolean
  /** Tried in the long form alone: what it meets is what another one meets. */
  isLong?: boolean
  /** No rename gets past it in this layout: it is named until it is undone, and repaired then. */
  obstructs?: Layout
  does(at: string, path: string, layout: Layout): undefined | (() => void)
}

export const ALL: readonly Layout[] = ["links", "exchange", "file"]

export function remove(path: string): undefined {
  fs.rmSync(path, { recursive: true })
}

/** The folder of the newest revision in the store. */
export function slotOf(at: string, path: string, layout?: string): string {
  const store =
    layout === "links" || fs.existsSync(join(path, "..rev"))
      ? join(path, "..rev")
      : join(at, ".headrace-shown")
  const newest = fs
    .readdirSync(store)
    .filter((name) => /^\d{4}$/.test(name))
    .sort()
    .at(-1)
  if (newest === undefined) throw new Error(`${store} has no slot`)
  return join(store, newest)
}

export function moveAway(path: string): undefined {
  fs.renameSync(path, `${path}.old`)
}

/** Removed, moved away, or mounted over. */
export const REMOVALS: readonly Sabotage[] = [
  {
    what: "the slot of what is shown is removed",
    layouts: ALL,
    does: (at, path) => remove(slotOf(at, path)),
  },
  {
    what: "the shown revision's own folder is removed",
    layouts: ["links"],
    does: (_at, path) => remove(fs.realpathSync(join(path, "..data"))),
  },
  {
    what: "a folder within the shown revision is removed",
    layouts: ["links", "exchange"],
    does: (_at, path) => remove(fs.realpathSync(join(path, "d"))),
  },
  {
    what: "a shown file is written in place",
    layouts: ["links", "exchange", "file"],
    does(_at, path) {
      const file = fs.statSync(path).isFile() ? path : fs.realpathSync(join(path, "a"))
      fs.chmodSync(file, 0o644)
      fs.writeFileSync(file, "not ours")
      return undefined
    },
  },
  {
    what: "the manifest of what is shown is removed",
    layouts: ALL,
    does: (at, path) => remove(join(slotOf(at, path), "manifest.json")),
  },
  { what: "the store is removed", layouts: ALL, does: (at, path) => remove(join(slotOf(at, path), "..")) },
  { what: "the link is removed", layouts: ["links"], does: (_at, path) => remove(join(path, "..data")) },
  {
    what: "a visible name is removed",
    layouts: ["links"],
    does: (_at, path) => fs.unlinkSync(join(path, "a")) as undefined,
  },
  { what: "what is shown is removed", layouts: ALL, does: (_at, path) => remove(path) },
  { what: "what is shown is moved away", layouts: ALL, does: (_at, path) => moveAway(path) },
  {
    what: "the projection's folder is moved away and made again",
    layouts: ["links"],
    does(_at, path) {
      fs.renameSync(path, `${path}.old`)
      fs.mkdirSync(path)
      return undefined
    },
  },
  {
    what: "the folder above is moved away and made again",
    layouts: ALL,
    does(at) {
      fs.renameSync(at, `${at}.old`)
      fs.mkdirSync(at)
      return undefined
    },
  },
  { what: "the folder above is removed", layouts: ALL, does: (at) => remove(at) },
  {
    what: "a file system is mounted over its folder",
    layouts: ["links"],
    needsRoot: true,
    does(_at, path) {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", path])
      return () => execFileSync("umount", ["--lazy", path])
    },
  },
  {
    what: "a file system is mounted over the folder above",
    layouts: ["links", "exchange", "file"],
    needsRoot: true,
    does(at) {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", at])
      return () => execFileSync("umount", ["--lazy", at])
    },
  },
]
