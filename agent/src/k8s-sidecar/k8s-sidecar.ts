import { helpItem, helpNote } from "@headrace/shared/command-line/help-items"
import { createLog } from "@headrace/shared/observe/log"
import { keepHeapSmall } from "../ops/give-memory-back.ts"
import { runSidecar } from "./run-sidecar.ts"
import {
  SIDECAR_NOT_PROVIDED,
  SIDECAR_OPTIONS,
  SIDECAR_VERSION,
  type SidecarOption,
} from "./sidecar-options.ts"
import { sidecarSettings } from "./sidecar-settings.ts"

const WIDTH = 36

/** The command `k8s-sidecar`, by our environment. Throws UsageError `sidecar/…`, and as runSidecar does. */
export async function k8sSidecar(flags: readonly string[], signal: AbortSignal): Promise<void> {
  if (flags.includes("--help") || flags.includes("-h")) {
    process.stdout.write(sidecarHelp())
    return
  }
  const settings = sidecarSettings(process.env, flags)
  keepHeapSmall()
  const log = createLog("k8s-sidecar", { level: settings.logLevel })
  for (const remark of settings.remarks) log.warn({ remark }, "a variable has no effect, or another one")
  await runSidecar(settings, { log }, signal)
}

/** All variables and what differs from k8s-sidecar. */
export function sidecarHelp(): string {
  const options: [string, SidecarOption][] = Object.entries(SIDECAR_OPTIONS)
  return [
    "Usage: headrace-agent k8s-sidecar [--req-username-file FILE]",
    "                                  [--req-password-file FILE]",
    "",
    `Takes the environment of k8s-sidecar ${SIDECAR_VERSION} as it is.`,
    "",
    ...options.map(([name, option]) => {
      const byDefault =
        option.default === undefined || option.default === "" ? "" : ` (default ${option.default})`
      return helpItem(name, `${option.meaning}${byDefault}`, WIDTH)
    }),
    "",
    "What differs from k8s-sidecar:",
    ...SIDECAR_NOT_PROVIDED.map(({ name, reason }) => helpNote(name, reason)),
    ...options.flatMap(([name, { reason }]) => (reason === undefined ? [] : [helpNote(name, reason)])),
    "",
  ].join("\n")
}
