import type { PlaceOptions } from "../../cli/place-options.ts"

export interface DiffOptions extends PlaceOptions {
  sourcePath?: string[]
  rules?: string
  repo?: string
  commit?: string
  keepForeign: boolean
}

/** What `diff` of folders has to know. */
export type FolderDiffOptions = DiffOptions & { sourcePath: string[]; rules: string }
