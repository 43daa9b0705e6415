import fs from "node:fs"
import { join } from "node:path"
import { nativeCalls } from "@headrace/agent/disk/native-calls"
import type { Peer } from "./payload.ts"

/**
 * The steps of library-go's atomicdir with its fsync: write each file, open it again and fsync it, fsync its
 * directory each time; swap the directory in; fsync both parents; remove the old one. Its directories are flat.
 */
export function openAtomicDir(path: string): Peer {
  const target = join(path, "target")
  const stagingParent = join(path, "staging")
  const staging = join(stagingParent, "next")
  fs.mkdirSync(target, { recursive: true })
  fs.mkdirSync(stagingParent)
  return {
    name: "atomic_dir",
    publish: ({ contents }) => {
      fs.mkdirSync(staging)
      for (const [name, bytes] of contents) {
        const file = join(staging, name.replace("/", "-"))
        fs.writeFileSync(file, bytes)
        sync(file)
        sync(staging)
      }
      nativeCalls().exchange(staging, target)
      sync(path)
      sync(stagingParent)
      fs.rmSync(staging, { recursive: true })
    },
  }
}

function sync(path: string): void {
  const fd = fs.openSync(path, "r")
  fs.fsyncSync(fd)
  fs.closeSync(fd)
}
