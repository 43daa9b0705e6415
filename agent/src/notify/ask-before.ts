import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { BeforePublishSettings } from "@headrace/shared/settings/agent-notify"
import { type Notice, noticeEnvironment } from "./notice.ts"
import { runHook } from "./run-hook.ts"

/**
 * Asks each pre-publish hook about a staged revision, whose folder is the notice's path. The hook never runs in it: a
 * `python3 check.py` there would import what the revision calls `json.py`. Throws `projection/vetoed` at the first that
 * does not end with 0; the revision is then not shown.
 */
export async function askBefore(
  spec: { name: string; before?: readonly BeforePublishSettings[] },
  notice: Notice,
  signal: AbortSignal,
): Promise<void> {
  for (const { exec, timeout } of spec.before ?? []) {
    try {
      await runHook({ command: exec, timeout, folder: "/", env: noticeEnvironment(notice) }, signal)
    } catch (cause) {
      signal.throwIfAborted()
      throw new HeadraceError("projection/vetoed", `revision ${notice.revision} was vetoed`, {
        hint: "Repair the revision or the hook; the hook is asked again, and what is published stays.",
        fields: { projection: spec.name, revision: notice.revision },
        cause,
      })
    }
  }
}
