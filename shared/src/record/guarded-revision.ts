/** What an agent reports of a projection whose own guard holds a revision back. */
export const GUARDED = "projection/guarded"

/** That problem's message. It begins with the revision, so that a reader of the report can name the command that approves it. */
export function guardedMessage(revision: string, rest: string): string {
  return `revision ${revision} ${rest}`
}

/** The revision that such a message names; undefined: another version wrote it in other words. */
export function guardedRevision(message: string): string | undefined {
  return /^revision ([\w.-]+) /.exec(message)?.[1]
}
