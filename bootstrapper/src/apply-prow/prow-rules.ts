import { readdir, readFile, realpath } from "node:fs/promises"
import { isAbsolute, join, resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { findCheckout } from "@headrace/shared/git/find-checkout"
import { readRulesYaml } from "@headrace/shared/rules/rules-yaml"
import type { ProwOptions } from "./prow-flags.ts"

/**
 * Where --plugin-config is. `inside`: a file of the checkout itself, so that rules and files are of one commit.
 * `checkout`: a file of another. `file`: in no checkout (a mounted ConfigMap), so that no commit identifies its version.
 */
export type RulesLocation =
  | { kind: "inside"; path: string }
  | { kind: "checkout"; top: string; path: string }
  | { kind: "file"; path: string; text: Buffer }

/** Finds the rules: as given, or else beneath the checkout. Throws UsageError `rules/not-found`. */
export async function locateRules(pluginConfig: string, top: string): Promise<RulesLocation> {
  const paths = isAbsolute(pluginConfig) ? [pluginConfig] : [resolve(pluginConfig), join(top, pluginConfig)]
  for (const path of paths) {
    const file = await realpath(path).catch(() => undefined)
    if (file === undefined) continue
    const found = await findCheckout(file)
    if (found === undefined) return { kind: "file", path, text: await readFile(file) }
    return found.top === top ? { kind: "inside", path: found.path } : { kind: "checkout", ...found }
  }
  throw new UsageError("rules/not-found", `--plugin-config ${pluginConfig} is not there`, {
    hint: "Give the path of a plugins.yaml, best in the checkout: rules and files are then of one commit.",
  })
}

/**
 * Reads Prow's supplemental plugin configuration, as Prow does, for the one thing in it that would matter here: Prow
 * refuses a config_updater there (pkg/plugins, Configuration.mergeFrom), and so does this. Throws UsageError.
 */
export async function refuseSupplementalRules(options: ProwOptions): Promise<void> {
  const suffix = options.supplementalPluginConfigsFilenameSuffix
  for (const folder of options.supplementalPluginConfigDir ?? []) {
    for (const file of await filesBeneath(folder, suffix)) {
      const { section } = readRulesYaml(await readFile(file, "utf8"), file)
      if (section === undefined) continue
      throw new UsageError("rules/supplemental", `${file} has a config_updater, which Prow does not merge`, {
        hint: "Move its rules into --plugin-config.",
      })
    }
  }
}

async function filesBeneath(folder: string, suffix: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((cause: unknown) => {
    throw new UsageError("apply/supplemental-dir", `cannot read ${folder}`, { cause })
  })
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !file
          .slice(folder.length)
          .split("/")
          .some((part) => part.startsWith("..")),
    )
    .sort()
}
