import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { ALL, type Layout, moveAway, type Sabotage, slotOf } from "./sabotage.ts"

/** The shown revision's own folder. */
function shownFolder(path: string, layout: Layout): string {
  return layout === "links" ? fs.realpathSync(join(path, "..data")) : path
}

/** A file of the shown revision; in layout `file` the only one. */
function shownFile(path: string, layout: Layout): string {
  return layout === "file" ? path : join(shownFolder(path, layout), "a")
}

function putFile(place: string): undefined {
  fs.rmSync(place, { recursive: true })
  fs.writeFileSync(place, "")
}

function putFolder(place: string): undefined {
  fs.rmSync(place)
  fs.mkdirSync(place)
}

function putLink(place: string, target: string): undefined {
  fs.rmSync(place)
  fs.symlinkSync(target, place)
}

/** Binds over a place; gives what unmounts all beneath `at`. */
function bindOver(at: string, other: string, place: string): () => void {
  execFileSync("mount", ["--bind", other, place])
  return () => execFileSync("sh", ["-c", `grep -o "${at}[^ ]*" /proc/self/mounts | xargs -r umount --lazy`])
}

/** Sets the immutable flag (chattr(1)); gives what clears it beneath `at`. */
function makeImmutable(at: string, place: string): () => void {
  execFileSync("chattr", ["+i", place])
  return () => execFileSync("sh", ["-c", `chattr -R -f -i ${at} || true`])
}

/** Something else is put in the place of what is shown, or of what Headrace keeps for it. */
export const USURPERS: readonly Sabotage[] = [
  {
    what: "another file is renamed over a shown one",
    isLong: true,
    layouts: ALL,
    does(at, path, layout) {
      fs.writeFileSync(join(at, "other"), "not ours")
      fs.renameSync(join(at, "other"), shownFile(path, layout))
      return undefined
    },
  },
  {
    what: "a shown file loses all its permissions",
    isLong: true,
    layouts: ALL,
    does: (_at, path, layout) => fs.chmodSync(shownFile(path, layout), 0) as undefined,
  },
  {
    what: "the shown revision's folder loses all its permissions",
    isLong: true,
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => fs.chmodSync(shownFolder(path, layout), 0) as undefined,
  },
  {
    what: "the slot is closed to readers",
    layouts: ["links"],
    does: (at, path) => fs.chmodSync(slotOf(at, path), 0o700) as undefined,
  },
  {
    what: "the store is closed to readers",
    layouts: ["links"],
    does: (at, path) => fs.chmodSync(join(slotOf(at, path), ".."), 0o700) as undefined,
  },
  {
    what: "a folder within the shown revision loses all its permissions",
    isLong: true,
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => fs.chmodSync(join(shownFolder(path, layout), "d"), 0) as undefined,
  },
  {
    what: "a file takes the place of a folder within the shown revision",
    isLong: true,
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => putFile(join(shownFolder(path, layout), "d")),
  },
  {
    what: "a folder takes the place of a shown file",
    layouts: ALL,
    does: (_at, path, layout) => putFolder(shownFile(path, layout)),
  },
  {
    what: "a link takes the place of a shown file",
    layouts: ALL,
    does: (_at, path, layout) => putLink(shownFile(path, layout), "/etc/hostname"),
  },
  {
    what: "a file takes the place of the shown revision's folder",
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => putFile(shownFolder(path, layout)),
  },
  {
    what: "another file comes into the shown revision",
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => fs.writeFileSync(join(shownFolder(path, layout), "other"), "") as undefined,
  },
  {
    what: "another file comes into a folder within the shown revision",
    isLong: true,
    layouts: ["links", "exchange"],
    does: (_at, path, layout) =>
      fs.writeFileSync(join(shownFolder(path, layout), "d/other"), "") as undefined,
  },
  {
    what: "a filled folder takes the place of a visible name",
    isLong: true,
    layouts: ["links"],
    does(_at, path) {
      fs.unlinkSync(join(path, "a"))
      fs.mkdirSync(join(path, "a/b"), { recursive: true })
      return undefined
    },
  },
  {
    what: "a shown file gets another owner",
    isLong: true,
    layouts: ALL,
    needsRoot: true,
    does: (_at, path, layout) => fs.chownSync(shownFile(path, layout), 65_534, 65_534) as undefined,
  },
  {
    what: "a file takes the place of the slot",
    isLong: true,
    layouts: ALL,
    does: (at, path) => putFile(slotOf(at, path)),
  },
  {
    what: "a file takes the place of the store",
    layouts: ALL,
    does: (at, path) => putFile(join(slotOf(at, path), "..")),
  },
  {
    what: "the slot is moved away",
    isLong: true,
    layouts: ALL,
    does: (at, path) => moveAway(slotOf(at, path)),
  },
  {
    what: "the store is moved away",
    isLong: true,
    layouts: ALL,
    does: (at, path) => moveAway(join(slotOf(at, path), "..")),
  },
  {
    what: "the link leads elsewhere",
    layouts: ["links"],
    does: (_at, path) => putLink(join(path, "..data"), "/etc"),
  },
  {
    what: "a folder takes the link's place",
    layouts: ["links"],
    does: (_at, path) => putFolder(join(path, "..data")),
  },
  {
    what: "a visible name leads elsewhere",
    layouts: ["links"],
    does: (_at, path) => putLink(join(path, "a"), "/etc/hostname"),
  },
  {
    what: "the note is made a folder",
    layouts: ALL,
    does: (at, path) => putFolder(join(slotOf(at, path), "../published.json")),
  },
  {
    what: "the manifest is made a folder",
    isLong: true,
    layouts: ALL,
    does: (at, path) => putFolder(join(slotOf(at, path), "manifest.json")),
  },
  {
    what: "a folder is bound over one within the shown revision",
    isLong: true,
    layouts: ["links", "exchange"],
    needsRoot: true,
    does(at, path, layout) {
      fs.mkdirSync(join(at, "other"))
      return bindOver(at, join(at, "other"), join(shownFolder(path, layout), "d"))
    },
  },
  {
    what: "a file is bound over a shown one",
    layouts: ALL,
    obstructs: "file",
    needsRoot: true,
    does(at, path, layout) {
      fs.writeFileSync(join(at, "other"), "not ours")
      return bindOver(at, join(at, "other"), shownFile(path, layout))
    },
  },
  {
    what: "a shown file is made immutable, after it was changed",
    isLong: true,
    layouts: ALL,
    obstructs: "file",
    needsRoot: true,
    does(at, path, layout) {
      const file = shownFile(path, layout)
      fs.chmodSync(file, 0o644)
      fs.writeFileSync(file, "not ours")
      return makeImmutable(at, file)
    },
  },
  {
    what: "the shown revision's folder is made immutable, after a file was removed",
    isLong: true,
    layouts: ["links", "exchange"],
    obstructs: "exchange",
    needsRoot: true,
    does(at, path, layout) {
      const folder = shownFolder(path, layout)
      fs.rmSync(join(folder, "a"))
      return makeImmutable(at, folder)
    },
  },
]
