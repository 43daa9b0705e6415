import { isUtf8 } from "node:buffer"
import { HeadraceError } from "../../foundation/errors.ts"
import type { TreeEntry } from "./raw-tree.ts"

/** Entries, and the paths among them that are not UTF-8 (shown with U+FFFD in place of what cannot be read). */
export interface ParsedEntries {
  entries: TreeEntry[]
  unreadable: ReadonlySet<string>
}

const LISTED = /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-|BAD)\t/

/** Parses `git ls-tree -r -l -z`: `MODE TYPE OID SIZE<tab>PATH<nul>`; the size of a blob that is missing is BAD. Throws `git/unexpected-output`. */
export function parseListing(output: Buffer): ParsedEntries {
  const { records, readable } = split(output)
  const entries = records.map((record): TreeEntry => {
    const match = LISTED.exec(record)
    if (match === null) throw unexpected(record)
    const [head, mode = "", oid = "", size] = match
    return {
      path: record.slice(head.length),
      mode,
      oid,
      size: Number.isNaN(Number(size)) ? undefined : Number(size),
    }
  })
  return { entries, unreadable: unreadablePaths(entries, readable) }
}

function split(output: Buffer): { records: string[]; readable: boolean } {
  const records = output.toString("utf8").split("\0")
  records.pop()
  return { records, readable: isUtf8(output) }
}

function unreadablePaths(entries: readonly TreeEntry[], readable: boolean): Set<string> {
  if (readable) return new Set()
  return new Set(entries.map((entry) => entry.path).filter((path) => path.includes("\ufffd")))
}

function unexpected(record: string): HeadraceError {
  return new HeadraceError("git/unexpected-output", `git printed ${JSON.stringify(record.slice(0, 200))}`)
}
