import fs from "node:fs"
import { dirname, join } from "node:path"
import stores from "../fixtures/stores-of-format-1.json" with { type: "json" }

type OldLayout = keyof typeof stores

/**
 * Lays out a store as the programs of commit c91ba4d wrote it (format 1): a projection at FOLDER/shown with revisions
 * `c1` at token 1763000000000.10 (a: one) and `c2` at .11 (a: two), which is shown. Inodes and times differ, as after
 * a copy.
 */
export function layOutOldStore(folder: string, layout: OldLayout): void {
  for (const entry of stores[layout]) {
    const path = join(folder, entry.path)
    fs.mkdirSync(dirname(path), { recursive: true })
    if ("link" in entry && entry.link !== undefined) fs.symlinkSync(entry.link, path)
    else if ("text" in entry && entry.text !== undefined) fs.writeFileSync(path, entry.text)
    else fs.mkdirSync(path, { recursive: true })
    if ("mode" in entry && entry.mode !== undefined) fs.chmodSync(path, Number.parseInt(entry.mode, 8))
  }
}
