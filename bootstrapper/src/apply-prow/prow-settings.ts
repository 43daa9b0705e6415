import { readFile } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { DEFAULT_CLUSTER } from "@headrace/shared/rules/resolve-places"
import { readRulesYaml } from "@headrace/shared/rules/rules-yaml"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { NamespacePattern } from "@headrace/shared/settings/units"
import { prowClusters } from "./prow-clusters.ts"
import type { ProwOptions } from "./prow-flags.ts"
import type { RulesLocation } from "./prow-rules.ts"

/** Prow's own default of --config-path. */
const CONFIG_PATH = "/etc/config/config.yaml"

/**
 * What Prow's flags say, as an operator's file would: one source, named `source`, that is the checkout at `top`, and
 * a cluster for each context. Rules from another checkout are a second source, named `source`-rules. Throws
 * UsageErrors that name the flag.
 */
export async function settingsOfProwFlags(
  options: ProwOptions,
  top: string,
  rules: RulesLocation,
  source: string,
): Promise<OperatorSettings> {
  const wrong = options.namespaces.find((one) => !NamespacePattern.safeParse(one).success)
  if (wrong !== undefined) {
    throw new UsageError("apply/namespaces", `--namespaces ${wrong} is no namespace and no pattern of them`, {
      hint: "Give names such as ci, or patterns such as team-*.",
    })
  }
  const rulesSource = `${source}-rules`
  const apart = rules.kind === "checkout"
  const own = {
    url: top,
    branch: "HEAD",
    rules: apart ? { source: rulesSource, path: rules.path } : rules.path,
    ...(options.repo ? { repo: options.repo } : {}),
  }
  const other = apart ? { [rulesSource]: { url: rules.top, branch: "HEAD", rules: rules.path } } : {}
  const { namespaces } = options
  const clusters = Object.entries(await prowClusters(options)).map(([name, one]) => [
    name,
    { ...one, namespaces },
  ])
  return OperatorSettings.parse({
    version: 1,
    sources: { [source]: own, ...other },
    clusters: Object.fromEntries(clusters),
    defaults: { cluster: DEFAULT_CLUSTER, namespace: await defaultNamespace(options.configPath, top) },
  })
}

/** Prow's prowjob_namespace, which an empty namespace means in rules. */
async function defaultNamespace(given: string | undefined, top: string): Promise<string> {
  const configPath = given ?? CONFIG_PATH
  const files = isAbsolute(configPath) ? [configPath] : [configPath, join(top, configPath)]
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => undefined)
    if (text === undefined) continue
    const { value } = readRulesYaml(text, file).yaml
    const namespace = (value as { prowjob_namespace?: unknown } | null)?.prowjob_namespace
    return typeof namespace === "string" && namespace !== "" ? namespace : "default"
  }
  if (given === undefined) return "default"
  throw new UsageError("apply/config-path", `cannot read --config-path ${given}`)
}
