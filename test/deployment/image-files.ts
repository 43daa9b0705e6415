import { posix } from "node:path"

/** What the Dockerfile brings into the images: copies of the build stage, without what that stage removes. */
export interface ImageCopies {
  /** Paths below the build folder. */
  copied: string[]
  /** Paths below the build folder that are removed before the copies. */
  removed: string[]
}

const BUILD_FOLDER = "/build"

/** Reads `COPY --from` and `rm -rf` of a Dockerfile; continued lines are joined. */
export function readImageCopies(dockerfile: string): ImageCopies {
  const lines = dockerfile.replaceAll(/\\\n/g, " ").split("\n")
  const copied = lines.flatMap((line) => {
    const sources = /^COPY\s+--from=(?:build|production)\s+(.+)\s+\S+$/.exec(line)?.[1]
    return sources ? sources.split(/\s+/).map((source) => posix.relative(BUILD_FOLDER, source)) : []
  })
  const removed = lines.flatMap((line) => [...line.matchAll(/\brm -rf ([^&|;]+)/g)].flatMap(wordsOf))
  return { copied, removed }
}

function wordsOf([, words]: RegExpMatchArray): string[] {
  return words?.trim().split(/\s+/) ?? []
}

/** Those of `files` (below the build folder) that the images carry. */
export function filesInImages({ copied, removed }: ImageCopies, files: string[]): string[] {
  return files.filter((file) => isBelow(file, copied) && !isBelow(file, removed))
}

function isBelow(file: string, folders: string[]): boolean {
  return folders.some((folder) => folder === "" || file === folder || file.startsWith(`${folder}/`))
}
