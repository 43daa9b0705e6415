import { HeadraceError } from "@headrace/shared/foundation/errors"

/** A file with its place in a projection and the source that put it there, for messages. */
export interface ProjectedFile {
  /** In the projection, `/` between elements. */
  path: string
  /** 0o444, or 0o555 for an executable one, unless the configuration says otherwise. */
  mode: number
  size: number
  /** Of the content, 64 hex digits. */
  sha256: string
  /** Names where it comes from: `ConfigMap ci/x, key a.yaml`. */
  origin: string
  read(): Promise<Buffer>
}

/** `under` and a file's name as one path: `steps` and `a/b` give `steps/a/b`. */
export function pathUnder(under: string | undefined, name: string): string {
  const folder = (under ?? "").replace(/^\/+|\/+$/g, "")
  return folder === "" ? name : `${folder}/${name}`
}

/**
 * All files of a projection from those of its sources, in the order given, so that files of one shard stay
 * together and a shard need not be read twice.
 *
 * Throws `projection/same-path`, naming both origins, when two files want one path, or one wants as a file
 * what another needs as a folder.
 */
export function combineFiles(sources: readonly (readonly ProjectedFile[])[]): ProjectedFile[] {
  const byPath = new Map<string, ProjectedFile>()
  for (const file of sources.flat()) {
    const other = byPath.get(file.path)
    if (other) throw samePath(file.path, other, file)
    byPath.set(file.path, file)
  }
  for (const file of byPath.values()) {
    const other = fileAbove(file.path, byPath)
    if (other) throw samePath(other.path, other, file)
  }
  return [...byPath.values()]
}

function fileAbove(path: string, byPath: ReadonlyMap<string, ProjectedFile>): ProjectedFile | undefined {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const above = byPath.get(path.slice(0, slash))
    if (above) return above
  }
  return undefined
}

function samePath(path: string, first: ProjectedFile, second: ProjectedFile): HeadraceError {
  return new HeadraceError(
    "projection/same-path",
    `two files for ${JSON.stringify(path)}: ${first.origin} and ${second.origin}`,
    { hint: "Give one of them a folder of its own with `under`.", fields: { path } },
  )
}
