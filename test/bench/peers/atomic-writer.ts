import fs from "node:fs"
import { dirname, join } from "node:path"
import type { Peer } from "./payload.ts"

/**
 * The steps of kubelet's AtomicWriter: compare every file's bytes with what is published, write all of them to a
 * new directory, set modes, move `..data` by rename, remove the old directory. It syncs nothing.
 */
export function openAtomicWriter(path: string): Peer {
  let generation = 0
  fs.mkdirSync(path)
  return {
    name: "atomic_writer",
    publish: ({ contents }) => {
      const before = fs.existsSync(join(path, "..data")) ? fs.readlinkSync(join(path, "..data")) : undefined
      if (before !== undefined && isSame(join(path, before), contents)) return
      generation += 1
      const next = `..${generation}`
      fs.mkdirSync(join(path, next))
      for (const [name, bytes] of contents) {
        const file = join(path, next, name)
        fs.mkdirSync(dirname(file), { recursive: true })
        fs.writeFileSync(file, bytes)
        fs.chmodSync(file, 0o644)
      }
      fs.symlinkSync(next, join(path, "..data_tmp"))
      fs.renameSync(join(path, "..data_tmp"), join(path, "..data"))
      if (before !== undefined) fs.rmSync(join(path, before), { recursive: true })
    },
  }
}

// It walks what is published for files that go, and reads every file to compare it.
function isSame(directory: string, contents: ReadonlyMap<string, Buffer>): boolean {
  const published = fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
  if (published.length !== contents.size) return false
  let same = true
  for (const [name, bytes] of contents)
    if (!fs.readFileSync(join(directory, name)).equals(bytes)) same = false
  return same
}
