import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { ALL, type Layout, moveAway, type Sabotage, slotOf } from "./sabotage.ts"

/** The shown revision's own folder. */
function shownFolder(path: string, layout: Layout): string {
  return layout === "links" ? fs.realpathSync(join(path, "..data")) : path
}

/** Something else is put in the place of what is shown, or of what Headrace keeps for it. */
export const USURPERS: readonly Sabotage[] = [
  {
    what: "another file is renamed over a shown one",
    isLong: true,
    layouts: ALL,
    does(at, path, layout) {
      fs.writeFileSync(join(at, "other"), "not ours")
      fs.renameSync(join(at, "other"), layout === "file" ? path : join(shownFolder(path, layout), "a"))
      return undefined
    },
  },
  {
    what: "a shown file loses all its permissions",
    isLong: true,
    layouts: ALL,
    does(_at, path, layout) {
      fs.chmodSync(layout === "file" ? path : join(shownFolder(path, layout), "a"), 0)
      return undefined
    },
  },
  {
    what: "the shown revision's folder loses all its permissions",
    isLong: true,
    layouts: ["links", "exchange"],
    does: (_at, path, layout) => fs.chmodSync(shownFolder(path, layout), 0) as undefined,
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
    does(_at, path, layout) {
      const folder = join(shownFolder(path, layout), "d")
      fs.rmSync(folder, { recursive: true })
      fs.writeFileSync(folder, "")
      return undefined
    },
  },
  {
    what: "a folder takes the place of a shown file",
    layouts: ALL,
    does(_at, path, layout) {
      const file = layout === "file" ? path : join(shownFolder(path, layout), "a")
      fs.rmSync(file)
      fs.mkdirSync(file)
      return undefined
    },
  },
  {
    what: "a link takes the place of a shown file",
    layouts: ALL,
    does(_at, path, layout) {
      const file = layout === "file" ? path : join(shownFolder(path, layout), "a")
      fs.rmSync(file)
      fs.symlinkSync("/etc/hostname", file)
      return undefined
    },
  },
  {
    what: "a file takes the place of the shown revision's folder",
    layouts: ["links", "exchange"],
    does(_at, path, layout) {
      const folder = shownFolder(path, layout)
      fs.rmSync(folder, { recursive: true })
      fs.writeFileSync(folder, "")
      return undefined
    },
  },
  {
    what: "a file takes the place of the slot",
    isLong: true,
    layouts: ALL,
    does(at, path) {
      const slot = slotOf(at, path)
      fs.rmSync(slot, { recursive: true })
      fs.writeFileSync(slot, "")
      return undefined
    },
  },
  {
    what: "a file takes the place of the store",
    layouts: ALL,
    does(at, path) {
      const store = join(slotOf(at, path), "..")
      fs.rmSync(store, { recursive: true })
      fs.writeFileSync(store, "")
      return undefined
    },
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
    does(_at, path) {
      fs.unlinkSync(join(path, "..data"))
      fs.symlinkSync("/etc", join(path, "..data"))
      return undefined
    },
  },
  {
    what: "a folder takes the link's place",
    layouts: ["links"],
    does(_at, path) {
      fs.unlinkSync(join(path, "..data"))
      fs.mkdirSync(join(path, "..data"))
      return undefined
    },
  },
  {
    what: "a visible name leads elsewhere",
    layouts: ["links"],
    does(_at, path) {
      fs.unlinkSync(join(path, "a"))
      fs.symlinkSync("/etc/hostname", join(path, "a"))
      return undefined
    },
  },
  {
    what: "the note is made a folder",
    layouts: ALL,
    does(at, path) {
      const note = join(slotOf(at, path), "../published.json")
      fs.rmSync(note)
      fs.mkdirSync(note)
      return undefined
    },
  },
  {
    what: "the manifest is made a folder",
    isLong: true,
    layouts: ALL,
    does(at, path) {
      const manifest = join(slotOf(at, path), "manifest.json")
      fs.rmSync(manifest)
      fs.mkdirSync(manifest)
      return undefined
    },
  },
  {
    what: "a folder is bound over one within the shown revision",
    isLong: true,
    layouts: ["links", "exchange"],
    needsRoot: true,
    does(at, path, layout) {
      const folder = join(shownFolder(path, layout), "d")
      fs.mkdirSync(join(at, "other"))
      execFileSync("mount", ["--bind", join(at, "other"), folder])
      return () =>
        execFileSync("sh", ["-c", `grep -o "${at}[^ ]*" /proc/self/mounts | xargs -r umount --lazy`])
    },
  },
  {
    what: "a file is bound over a shown one",
    layouts: ALL,
    obstructs: "file",
    needsRoot: true,
    does(at, path, layout) {
      fs.writeFileSync(join(at, "other"), "not ours")
      const file = layout === "file" ? path : join(shownFolder(path, layout), "a")
      execFileSync("mount", ["--bind", join(at, "other"), file])
      return () =>
        execFileSync("sh", ["-c", `grep -o "${at}[^ ]*" /proc/self/mounts | xargs -r umount --lazy`])
    },
  },
  {
    what: "a shown file is made immutable, after it was changed",
    isLong: true,
    layouts: ALL,
    obstructs: "file",
    needsRoot: true,
    does(at, path, layout) {
      const file = layout === "file" ? path : join(shownFolder(path, layout), "a")
      fs.chmodSync(file, 0o644)
      fs.writeFileSync(file, "not ours")
      execFileSync("chattr", ["+i", file])
      return () => execFileSync("sh", ["-c", `chattr -R -f -i ${at} || true`])
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
      execFileSync("chattr", ["+i", folder])
      return () => execFileSync("sh", ["-c", `chattr -R -f -i ${at} || true`])
    },
  },
]
