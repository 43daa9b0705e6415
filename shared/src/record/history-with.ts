import type { SourceRecord } from "./record.ts"

/** Earlier revisions that the store keeps for agents which have not caught up. */
const HISTORY = 3

/** The history of a record that goes from what it shows to the root `next`, newest first. Pure. */
export function historyWith(
  { commit, token, root, history }: SourceRecord,
  next: string | null,
): SourceRecord["history"] {
  const last = root !== null && commit !== null ? [{ commit, token, root }] : []
  return [...last, ...history].filter((revision) => revision.root !== next).slice(0, HISTORY)
}
