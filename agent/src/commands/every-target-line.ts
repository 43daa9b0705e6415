import type { SourceRecord } from "@headrace/shared/record/record"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"

/** What `everyTarget` shows is the record's choice: the settings themselves are good, and the record says the rest. */
export function everyTargetLine(
  { everyTarget, record }: Pick<AgentSettings, "everyTarget" | "record">,
  { record: found }: { record?: Pick<SourceRecord, "commit"> },
): string {
  const start = `everyTarget at ${everyTarget?.path}: `
  if (found === undefined) return `${start}waits for record ${record}`
  return found.commit === null
    ? `${start}ok: record ${record} shows no commit yet`
    : `${start}ok: the targets of commit ${found.commit.slice(0, 12)}`
}
