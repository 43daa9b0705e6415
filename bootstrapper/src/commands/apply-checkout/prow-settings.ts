import { readFile, realpath } from "node:fs/promises"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { readRulesYaml } from "@headrace/shared/rules/rules-yaml"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { ProwOptions } from "../prow-flags.ts"
import { DEFAULT_CLUSTER, prowClusters } from "./prow-clusters.ts"

/**
 * What Prow's flags say, as an operator's file would: one source, named `source`, that is the checkout at
 * `folder`, and a cluster for each context. Throws UsageErrors that name the flag.
 */
export async function settingsOfProwFlags(
  options: ProwOptions,
  folder: string,
  source: string,
): Promise<OperatorSettings> {
  const rules = await rulesInside(options.pluginConfig, folder)
  const namespace = await defaultNamespace(options.configPath, folder)
  return OperatorSettings.parse({
    version: 1,
    sources: {
      [source]: { url: folder, branch: "HEAD", rules, ...(options.repo ? { repo: options.repo } : {}) },
    },
    clusters: await prowClusters(options),
    defaults: { cluster: DEFAULT_CLUSTER, namespace },
  })
}

/** Path of the rules within the checkout: rules and files have to be of one commit. */
async function rulesInside(pluginConfig: string, folder: string): Promise<string> {
  const top = await realpath(folder)
  const places = isAbsolute(pluginConfig) ? [pluginConfig] : [resolve(pluginConfig), join(top, pluginConfig)]
  for (const place of places) {
    const real = await realpath(place).catch(() => undefined)
    const path = real === undefined ? ".." : relative(top, real)
    if (!path.startsWith("..") && !isAbsolute(path)) return path.split(sep).join("/")
  }
  throw new UsageError(
    "apply/rules-outside",
    `--plugin-config ${pluginConfig} is not a file of the checkout ${folder}`,
    {
      hint: "Give its path in the checkout: rules and files are read at one commit.",
    },
  )
}

/** Prow's prowjob_namespace, which stands for an empty namespace in rules. */
async function defaultNamespace(configPath: string | undefined, folder: string): Promise<string> {
  if (configPath === undefined) return "default"
  const places = isAbsolute(configPath) ? [configPath] : [configPath, join(folder, configPath)]
  for (const place of places) {
    const text = await readFile(place, "utf8").catch(() => undefined)
    if (text === undefined) continue
    const { value } = readRulesYaml(text, place).yaml
    const namespace = (value as { prowjob_namespace?: unknown } | null)?.prowjob_namespace
    return typeof namespace === "string" && namespace !== "" ? namespace : "default"
  }
  throw new UsageError("apply/config-path", `cannot read --config-path ${configPath}`)
}
