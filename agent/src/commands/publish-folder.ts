import { existsSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { isSystemFolder } from "@headrace/shared/foundation/system-folder"
import type { Log } from "@headrace/shared/observe/log"
import type { LayoutName } from "../layout/open-layout.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import { readFolderFiles, revisionDigest } from "../publish/read-folder-files.ts"
import type { Durability } from "../store/make-durable.ts"

export interface PublishFolderOptions {
  from: string
  to: string
  keep: number
  keepAge: number
  keepBytes: number
  durability: Durability | "auto"
  layout: LayoutName
  link: string
  breakLeases: boolean
  revision?: string
}

/** What `publish` prints; `ms` is from the first look at the projection to durable. */
export interface PrintedResult {
  revision: string
  path: string
  files_written: number
  files_linked: number
  ms: number
}

/** Publishes a folder once. Durable when it returns. */
export async function publishFolder(
  options: PublishFolderOptions,
  log: Log,
  signal: AbortSignal,
): Promise<PrintedResult> {
  refuseSystemFolder(options.to)
  refuseNested(options.from, options.to)
  judgeWorkTree(options.to, log)
  const files = readFolderFiles(options.from)
  const projection = await openTarget(options, log, signal)
  try {
    const id = options.revision ?? revisionDigest(files)
    const source = { source: "a folder, published by hand", instance: null }
    const origin = { ...source, revision: id, token: projection.floor(source) }
    const revision = {
      id,
      // A folder has no place in a history: the caller wants it shown now.
      token: origin.token,
      origins: [origin] as const,
      files,
      evenIfEqual: options.revision !== undefined,
    }
    const result = await projection.publish(revision, signal)
    return {
      revision: result.revision,
      path: result.path,
      files_written: result.filesWritten,
      files_linked: result.filesLinked,
      ms: Math.round(result.milliseconds * 10) / 10,
    }
  } finally {
    await projection.close()
  }
}

/** Opens the projection to publish to. A `--to` that no folder can be at is a wrong argument, as a wrong `--from` is. */
async function openTarget(
  options: PublishFolderOptions,
  log: Log,
  signal: AbortSignal,
): Promise<OpenProjection> {
  try {
    return await openProjection({
      path: options.to,
      layout: options.layout,
      durability: options.durability,
      keep: { revisions: options.keep, age: options.keepAge, bytes: options.keepBytes },
      link: options.link,
      breakLeases: options.breakLeases,
      prestage: false,
      verify: false,
      signal,
      log,
    })
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.code !== "disk/not-a-folder") throw error
    throw new UsageError(error.code, `no folder can be at ${options.to}`, {
      hint: "Give --to a path where no file is in the way of a folder.",
      cause: error,
    })
  }
}

/** Revisions and links would be among the files of the system, or of every user. */
function refuseSystemFolder(to: string): void {
  if (!isSystemFolder(resolve(to))) return
  throw new UsageError("publish/system-folder", `${to} is a folder of the system`, {
    hint: "Publish to a folder of its own, below it.",
  })
}

/** Published into a checkout, revisions would be among its files, for the next commit or clean to take. */
function judgeWorkTree(to: string, log: Log): void {
  const place = resolve(to)
  if (existsSync(join(place, ".git"))) {
    throw new UsageError("publish/work-tree", `${to} is a git work tree`, {
      hint: "Publish to a folder of its own, outside of it.",
    })
  }
  const above = parents(place).find((folder) => existsSync(join(folder, ".git")))
  if (above === undefined) return
  log.warn({ to: place, workTree: above }, "the projection is inside of a git work tree: git sees its files")
}

function parents(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...parents(parent)]
}

/** A projection inside of its own source would publish itself, larger each time. */
function refuseNested(from: string, to: string): void {
  const [first = ""] = relative(resolve(from), resolve(to)).split("/")
  if (first === "..") return
  throw new UsageError("publish/nested", `${to} is inside of ${from}`, {
    hint: "Publish to a folder outside of it.",
  })
}
