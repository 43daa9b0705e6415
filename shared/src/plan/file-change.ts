import { z } from "zod"

/** One file of a change, in the words of GitHub's "list pull request files". Other fields are ignored. */
export const FileChange = z.object({
  filename: z.string().min(1),
  status: z.enum(["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]),
  previous_filename: z.string().min(1).optional(),
})
export type FileChange = z.infer<typeof FileChange>

/** Paths whose content a change may have altered: of a rename both, of a copy the copy alone. */
export function touchedPaths(changes: readonly FileChange[]): string[] {
  return changes.flatMap(({ filename, status, previous_filename: previous }) => {
    if (status === "unchanged") return []
    return status === "renamed" && previous !== undefined ? [previous, filename] : [filename]
  })
}

/** The whole list, as `plan --changes` takes it. */
export const FileChanges = z.array(FileChange)
