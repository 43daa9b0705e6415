import { createHash } from "node:crypto"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { basename, join } from "node:path"
import { compareText } from "@headrace/shared/foundation/canonical-json"

/** What one look at a projection saw: the revision that its link named, and a digest of all names and contents. */
export interface ProjectionSnapshot {
  revision: string
  fingerprint: string
  files: number
}

/** Digest of a set of files by name and git blob id, in any order. */
export function fingerprint(files: Iterable<readonly [name: string, oid: string]>): string {
  const sorted = [...files].sort(([a], [b]) => compareText(a, b))
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex")
}

/** As a careful reader does it: resolves the link once, then reads everything beneath what it resolved to. */
export function takeSnapshot(projection: string): ProjectionSnapshot {
  const target = readlinkSync(join(projection, "..data"))
  const files: [string, string][] = []
  readInto(files, join(projection, target), "")
  return { revision: basename(target), fingerprint: fingerprint(files), files: files.length }
}

function readInto(files: [string, string][], folder: string, prefix: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`
    if (entry.isDirectory()) readInto(files, join(folder, entry.name), `${name}/`)
    else files.push([name, gitBlobId(readFileSync(join(folder, entry.name)))])
  }
}

/** The id that git gives a file of this content (gitformat-pack(5): SHA-1 of "blob SIZE\0" and the bytes). */
export function gitBlobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")
}
